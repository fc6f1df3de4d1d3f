// Counts the tests of all runners and prints the summary that scripts/test ends with.
//
//   node tests/tally.mjs FOLDER
//
// FOLDER holds what the runners left there, each optional:
//   unit.json      meson's testlog.json (a JSON object a line), unit.status its exit status
//   system.jsonl   what tests/reporter.mjs wrote, system.status the exit status of node
//   failures       a line for each failure that belongs to no runner (a build, a process left running)
// Exit status: 0 when something ran and nothing failed.

import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const LONG_S = 30, MOST_NAMED = 10;

const read = (folder, name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : null);
const lines = (text) => (text ?? '').split('\n').filter((line) => line.trim() !== '');

// The tests in one program's output, as cmocka prints them: `[       OK ] test_name`.
function cmockaTests(output) {
	const found = new Map();
	const words = { OK: 'passed', FAILED: 'failed', ERROR: 'failed', SKIPPED: 'skipped' };
	for (const [, word, name] of output.matchAll(/\[ +(OK|FAILED|ERROR|SKIPPED) +\] (\w+)(?=\n|$)/g)) {
		if (found.get(name) !== 'failed') found.set(name, words[word]);
	}
	return found;
}

// One entry of meson's log: the tests it names itself, or the program as one test.
export function unitTests(entry) {
	const output = `${entry.stdout ?? ''}\n${entry.stderr ?? ''}`;
	const tests = [...cmockaTests(output)].map(([name, result]) => ({ name: `${entry.name}: ${name}`, result }));
	const verdict = entry.result.replace(/^EXPECTEDFAIL$/, 'OK');
	const whole = verdict === 'OK' ? 'passed' : verdict === 'SKIP' ? 'skipped' : 'failed';
	const announced = [...output.matchAll(/^\[=+\] Running (\d+) test\(s\)/gm)].reduce((n, m) => n + Number(m[1]), 0);
	// A program that ended badly without a failed test, or before all of its tests, has failed as a whole.
	const told = tests.length > 0 && (whole !== 'failed' || tests.some((t) => t.result === 'failed'));
	if (whole === 'failed' && announced > tests.length) {
		tests.push({ name: `${entry.name}: ended before ${announced - tests.length} of its tests`, result: 'failed' });
	} else if (!told) {
		const how = whole === 'failed' ? `: ${entry.result.toLowerCase()}, status ${entry.returncode}` : '';
		tests.push({ name: entry.name + how, result: whole });
	}
	return tests;
}

export function collect(folder) {
	const tests = lines(read(folder, 'failures')).map((name) => ({ name, result: 'failed' }));
	const unit = lines(read(folder, 'unit.json')).map((line) => JSON.parse(line)).flatMap((entry) => {
		const ran = unitTests(entry);
		ran[0].of = entry.name;
		ran[0].seconds = entry.duration ?? 0;
		return ran;
	});
	const system = lines(read(folder, 'system.jsonl')).map((line) => {
		const { name, file, result, reason, ms = 0 } = JSON.parse(line);
		return { name: file ? `${basename(file)}: ${name}` : name, result, reason, of: file ? basename(file) : name, seconds: ms / 1000 };
	});
	for (const [runner, ran, file] of [['meson', unit, 'unit.status'], ['node', system, 'system.status']]) {
		const status = Number(read(folder, file) ?? 0);
		if (status !== 0 && !ran.some((t) => t.result === 'failed')) {
			const why = status === 124 || status === 137 ? 'took longer than FW_TEST_LIMIT' : `ended with status ${status}`;
			ran.push({ name: `${runner} ${why}`, result: 'failed' });
		}
	}
	return [...tests, ...unit, ...system];
}

// The few files and programs whose tests took longest, for whoever has to wait for them: "" when none took long.
function longest(tests) {
	const took = new Map();
	for (const { of, seconds } of tests) if (seconds) took.set(of, (took.get(of) ?? 0) + seconds);
	const most = [...took].filter(([, seconds]) => seconds >= LONG_S).sort(([, a], [, b]) => b - a).slice(0, MOST_NAMED);
	return most.map(([of, seconds]) => `${of} ${Math.round(seconds)} s`).join(', ');
}

export function summary(tests) {
	const of = (result) => tests.filter((t) => t.result === result);
	const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(of);
	const text = [...skipped.map((t) => `skipped: ${t.name}${t.reason ? ` (${t.reason})` : ''}`), ...failed.map((t) => `failed: ${t.name}`)];
	if (passed.length + failed.length === 0) text.push('nothing ran');
	if (longest(tests)) text.push(`longest: ${longest(tests)}`);
	text.push(`${passed.length} passed, ${failed.length} failed` + (skipped.length ? `, ${skipped.length} skipped` : ''));
	return { text: text.join('\n'), ok: failed.length === 0 && passed.length > 0 };
}

if (process.argv[1] && import.meta.url.endsWith(basename(process.argv[1]))) {
	const { text, ok } = summary(collect(process.argv[2]));
	console.log(text);
	process.exitCode = ok ? 0 : 1;
}
