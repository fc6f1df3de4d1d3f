// The example store: it loads, its tests pass, and each of its rules and guards is held by one of them.

import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { run, temporaryFolder, tree } from './daemon.mjs';

const filesOf = (folder) => readdirSync(folder).filter((name) => name.endsWith('.lua')).map((name) => join(folder, name));
const files = ['rules/shop', 'rules/compliance'].flatMap((folder) => filesOf(join(tree, folder)));
const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');

// Each declaration of a kind: its name and its text. One ends with the first brace at the beginning of a line, or on its line.
function declarations(kind) {
	return [...text.matchAll(new RegExp(`^${kind} "([^"]+)" (?:\\{[^\\n]*\\}(?: *--.*)?$|\\{[^]*?^\\})`, 'gm'))]
		.map(([all, name]) => ({ name, all }));
}

function copyOfStore(t) {
	const folder = temporaryFolder(t);
	cpSync(join(tree, 'rules'), folder, { recursive: true, filter: (from) => !/\/var(\/|$)/.test(from) });
	return folder;
}

function testIn(folder) {
	const { status, stdout, stderr } = run(['test'], { cwd: folder });
	return { status, said: stdout + stderr };
}

test('the store loads and its tests pass', () => {
	const { status, said } = testIn(join(tree, 'rules'));
	assert.equal(status, 0, said);
	assert.match(said, new RegExp(`^${declarations('test').length} passed, 0 failed`, 'm'));
});

test('each rule of a slot that is not at rest wins in a test', () => {
	const expected = declarations('test').map(({ all }) => all.slice(all.indexOf('expect'))).join('\n');
	const rules = declarations('rule').filter(({ all }) => /^\s+slot\s/m.test(all) && !/enabled\s+= false/.test(all));
	assert.ok(rules.length > 20, `${rules.length} rules`);
	assert.deepEqual(rules.map(({ name }) => name).filter((name) => !expected.includes(`"${name}"`)), []);
});

test('without any one of the guards of pages a test fails', (t) => {
	const guards = declarations('guard').filter(({ all }) => !/channel\s*= "sms"/.test(all));
	assert.ok(guards.length >= 5, `${guards.length} guards`);
	for (const { name, all } of guards) {
		const folder = copyOfStore(t);
		for (const file of [...filesOf(join(folder, 'shop')), ...filesOf(join(folder, 'compliance'))]) {
			writeFileSync(file, readFileSync(file, 'utf8').replace(all, ''));
		}
		const { status, said } = testIn(folder);
		assert.equal(status, 1, `no test misses ${name}\n${said}`);
		assert.match(said, /was expected, and/);
	}
});
