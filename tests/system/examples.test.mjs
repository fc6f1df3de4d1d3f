// The example folders beside the store: each loads and passes its tests alone, each of its rules wins in one of them, and each of its guards
// forbids in one. The store's own are held in store.test.mjs.

import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { run, temporaryFolder, tree } from './daemon.mjs';

// A reader's copy: the folder, what the law says, and the configuration; `change` is made in each rule file.
function alone(t, site, change = (text) => text) {
	const folder = temporaryFolder(t);
	for (const part of [site, 'compliance', 'floorwalker.lua']) cpSync(join(tree, 'rules', part), join(folder, part), { recursive: true });
	for (const name of filesOf(site)) writeFileSync(join(folder, site, name), change(readFileSync(join(folder, site, name), 'utf8'), name));
	return folder;
}

const filesOf = (site) => readdirSync(join(tree, 'rules', site)).filter((name) => name.endsWith('.lua'));

// Each declaration of a kind: its name and its text. One ends with the first brace at the beginning of a line, or on its line.
function declarations(site, kind) {
	const text = filesOf(site).map((name) => readFileSync(join(tree, 'rules', site, name), 'utf8')).join('\n');
	return [...text.matchAll(new RegExp(`^${kind} "([^"]+)" (?:\\{[^\\n]*\\}(?: *--.*)?$|\\{[^]*?^\\})`, 'gm'))].map(([all, name]) => ({ name, all }));
}

function tested(site, folder) {
	const { status, stdout, stderr } = run(['test', '--rules', site, '--json'], { cwd: folder });
	assert.ok(stdout.startsWith('{'), `${stdout}${stderr}`);
	return { status, ...JSON.parse(stdout) };
}

// In front of a file, on its first line: whatever a test of it expects, it now expects the default, so what wins is told as its failure.
const nothingWins = `local test = (function(real)
  return function(name)
    return function(t)
      local expect = {}
      for slot in pairs(t.expect) do expect[slot] = "default" end
      return real(name) { given = t.given, expect = expect }
    end
  end
end)(test); `.replace(/\n */g, ' ');

for (const site of ['media', 'travel', 'onboarding']) {
	test(`${site}: it loads alone, and its tests pass`, (t) => {
		const folder = alone(t, site), { status, stdout, stderr } = run(['check', '--rules', site], { cwd: folder });
		assert.equal(status, 0, stdout + stderr);
		assert.match(stdout, new RegExp(`^no errors: rules ${declarations(site, 'rule').length}, .*; findings 0$`, 'm'), 'all its rules are read here, too');
		const { passed, failed, errors } = tested(site, folder);
		assert.deepEqual([failed, errors], [0, []]);
		assert.ok(passed > 40, `${passed} tests`);
	});

	test(`${site}: each rule wins in a test`, (t) => {
		const won = new Set();
		for (const file of filesOf(site)) {
			const { errors } = tested(site, alone(t, site, (text, name) => (name === file ? nothingWins + text : text)));
			assert.ok(errors.length < 50, `${file}: more are not told`);
			for (const { message } of errors) {
				const [, winners] = message.split(' was expected, and ');
				assert.ok(winners, message);
				for (const [, rule] of winners.matchAll(/"([^"]+)"/g)) won.add(rule);
			}
		}
		assert.deepEqual(declarations(site, 'rule').map(({ name }) => name).filter((name) => !won.has(name)), []);
	});

	test(`${site}: without any one of its guards a test fails`, (t) => {
		const guards = declarations(site, 'guard');
		assert.ok(guards.length >= 4, `${guards.length} guards`);
		for (const { name, all } of guards) {
			const { status, errors } = tested(site, alone(t, site, (text) => text.replace(all, '')));
			assert.equal(status, 1, `no test misses ${name}`);
			assert.match(errors[0].message, /was expected, and/);
		}
	});
}
