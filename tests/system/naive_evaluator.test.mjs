// The naive evaluator is tested with the rest, before anything is held against it.
import './naive/evaluate.test.mjs';
