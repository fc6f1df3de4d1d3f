// Runs files of node's test runner, several at once, which its command line does from node 21 on.
//
//   node tests/run.mjs RESULTS AT_ONCE FILE…
//
// To RESULTS is added a line for each test (tests/reporter.mjs), the standard output a report for people, file by file.
// Exit status: 0 when nothing failed.

import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec as Spec } from 'node:test/reporters';
import report from './reporter.mjs';

const [results, atOnce, ...files] = process.argv.slice(2);
const events = run({ files: files.map((file) => resolve(file)), concurrency: Number(atOnce) });
events.on('test:fail', ({ todo }) => {
	if (todo === undefined || todo === false) process.exitCode = 1;
});
const [forPeople, forTally] = [events.compose(new Spec()), events.compose(report)];
await Promise.all([pipeline(forPeople, process.stdout, { end: false }), pipeline(forTally, createWriteStream(results, { flags: 'a' }))]);
