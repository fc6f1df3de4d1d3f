// The summary counts every runner's tests, and cannot be green when something ended early or nothing ran.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { collect, summary } from '../tally.mjs';
import { environment } from './daemon.mjs';

const entry = (fields) => JSON.stringify({ name: 'test_x', result: 'OK', returncode: 0, stdout: '', ...fields });
const cmocka = (...lines) => ['[==========] Running 2 test(s).', ...lines, ''].join('\n');

function summaryOf(t, files) {
	const folder = mkdtempSync(join(tmpdir(), 'tally-'));
	t.after(() => rmSync(folder, { recursive: true }));
	for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
	return summary(collect(folder));
}

test('all runners are counted together, and skips say why', (t) => {
	const { text, ok } = summaryOf(t, {
		'unit.json': [entry({ stdout: cmocka('[       OK ] test_a', '[  SKIPPED ] test_b') }), entry({ name: 'fuzz_y' })].join('\n'),
		'system.jsonl': [{ name: 'one', file: '/a/b.test.mjs', result: 'passed' }, { name: 'two', file: '', result: 'skipped', reason: 'no peer' }].map(JSON.stringify).join('\n'),
	});
	assert.equal(text, 'skipped: test_x: test_b\nskipped: two (no peer)\n3 passed, 0 failed, 2 skipped');
	assert.ok(ok);
});

test('what took longest is named, longest first', (t) => {
	const ran = (name, file, ms) => JSON.stringify({ name, file, result: 'passed', ms });
	const { text } = summaryOf(t, {
		'unit.json': entry({ duration: 61.7, stdout: cmocka('[       OK ] test_a', '[       OK ] test_b') }),
		'system.jsonl': [ran('one', '/a/b.test.mjs', 50000), ran('two', '/a/b.test.mjs', 40000), ran('three', '/a/c.test.mjs', 1000)].join('\n'),
	});
	assert.equal(text, 'longest: b.test.mjs 90 s, test_x 62 s\n5 passed, 0 failed');
});

test('a program that ends before its tests do is a failure', (t) => {
	const { text, ok } = summaryOf(t, { 'unit.json': entry({ result: 'FAIL', returncode: -6, stdout: cmocka('[       OK ] test_a') }) });
	assert.equal(text, 'failed: test_x: ended before 1 of its tests\n1 passed, 1 failed');
	assert.ok(!ok);
});

test('a program that fails after its tests passed is a failure', (t) => {
	const { text } = summaryOf(t, { 'unit.json': entry({ result: 'FAIL', returncode: 1, stdout: cmocka('[       OK ] test_a', '[       OK ] test_b') }) });
	assert.equal(text, 'failed: test_x: fail, status 1\n2 passed, 1 failed');
});

test('a test that cmocka names twice is counted once', (t) => {
	const { text } = summaryOf(t, {
		'unit.json': entry({ result: 'FAIL', returncode: 1, stdout: cmocka('[       OK ] test_a', '[  FAILED  ] test_b'), stderr: '[  FAILED  ] test_b\n' }),
	});
	assert.equal(text, 'failed: test_x: test_b\n1 passed, 1 failed');
});

test('a runner that broke off is a failure, and so is an empty run', (t) => {
	assert.equal(summaryOf(t, { 'system.jsonl': JSON.stringify({ name: 'one', result: 'passed' }), 'system.status': '124' }).text,
		'failed: node took longer than FW_TEST_LIMIT\n1 passed, 1 failed');
	const nothing = summaryOf(t, {});
	assert.equal(nothing.text, 'nothing ran\n0 passed, 0 failed');
	assert.ok(!nothing.ok);
	assert.equal(summaryOf(t, { failures: 'building build-test\n' }).text, 'failed: building build-test\n0 passed, 1 failed');
});

// Runs a file of tests as scripts/test does: the summary's lines.
function ranAs(t, text, seconds = 60) {
	const folder = mkdtempSync(join(tmpdir(), 'tally-')), file = join(folder, 'x.test.mjs');
	t.after(() => rmSync(folder, { recursive: true }));
	writeFileSync(file, `import test from 'node:test';\n${text}\n`);
	const run = fileURLToPath(new URL('../run.mjs', import.meta.url));
	const { status } = spawnSync('timeout', ['-k', '5', String(seconds), process.execPath, run, join(folder, 'system.jsonl'), '2', file], { env: environment({ NODE_TEST_CONTEXT: undefined }) });
	writeFileSync(join(folder, 'system.status'), `${status}\n`);
	return summary(collect(folder)).text.replaceAll(file, 'FILE').split('\n');
}

test('a file is counted by its tests, and one that dies, ends early, hangs or has none is a failure', (t) => {
	const one = "test('one', () => {});", slow = "test('slow', () => new Promise((done) => setTimeout(done, 500)));";
	assert.deepEqual(ranAs(t, `${one} test('two', { skip: 'no peer' }, () => {}); test('three', async (t) => { await t.test('four', () => { throw new Error('no'); }); });`),
		['skipped: x.test.mjs: two (no peer)', 'failed: x.test.mjs: four', 'failed: x.test.mjs: three', '1 passed, 2 failed, 1 skipped']);
	for (const dies of ["throw new Error('at once');", 'process.exit(1);', `${one} test('dies', () => { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); });`])
		assert.match(ranAs(t, dies).at(-1), /^\d passed, 1 failed$/, dies);
	assert.deepEqual(ranAs(t, ''), ['failed: x.test.mjs: ended without a test', '0 passed, 1 failed']);
	assert.deepEqual(ranAs(t, `${one} ${slow} test('ends', () => { process.exit(0); }); ${one}`).at(-1), '1 passed, 1 failed');
	assert.deepEqual(ranAs(t, `${one} test('hangs', () => new Promise((done) => setTimeout(done, 1e6)));`, 8), ['failed: node took longer than FW_TEST_LIMIT', '1 passed, 1 failed']);
});
