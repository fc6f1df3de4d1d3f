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

// Changes each rule file of a copy of the store; answers its folder.
function changedStore(t, change) {
	const folder = copyOfStore(t);
	for (const file of [...filesOf(join(folder, 'shop')), ...filesOf(join(folder, 'compliance'))]) writeFileSync(file, change(readFileSync(file, 'utf8')));
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

test('the configuration loads with each of the stores that it proposes', (t) => {
	const config = readFileSync(join(tree, 'rules/floorwalker.lua'), 'utf8');
	const proposed = [...config.matchAll(/^-- store\s+= (.*)\n-- durability = ("\w+")/gm)];
	assert.equal(proposed.length, 2);
	for (const [, store, durability] of proposed) {
		const folder = copyOfStore(t), text = config.replace(/^store .*$/m, `store = ${store}\ndurability = ${durability}`);
		assert.notEqual(text, config);
		writeFileSync(join(folder, 'floorwalker.lua'), text);
		const { status, stdout, stderr } = run(['check', '--config', join(folder, 'floorwalker.lua')], { cwd: folder, env: { FW_REDIS_PASSWORD: 'p%2Fw' } });
		assert.equal(status, 0, stdout + stderr);
		const unset = run(['check', '--config', join(folder, 'floorwalker.lua')], { cwd: folder });
		assert.notEqual(unset.status, 0, 'without its password it is no configuration');
	}
});

test('each rule that is not at rest wins in a test, of a slot and of messages', () => {
	const expected = declarations('test').map(({ all }) => all.slice(all.indexOf('expect'))).join('\n');
	const rules = declarations('rule').filter(({ all }) => !/enabled\s+= false/.test(all));
	const ofSlots = rules.filter(({ all }) => /^\s+slot\s/m.test(all)), ofMessages = rules.filter(({ all }) => /^\s+channel\s/m.test(all));
	assert.ok(ofSlots.length > 20 && ofMessages.length >= 9, `${ofSlots.length} rules of slots, ${ofMessages.length} of messages`);
	assert.equal(ofSlots.length + ofMessages.length, rules.length);
	assert.deepEqual(rules.map(({ name }) => name).filter((name) => !expected.includes(`"${name}"`)), []);
});

test('without any one of the guards a test fails', (t) => {
	const guards = declarations('guard');
	assert.ok(guards.length >= 11, `${guards.length} guards`);
	for (const { name, all } of guards) {
		const { status, said } = testIn(changedStore(t, (text) => text.replace(all, '')));
		assert.equal(status, 1, `no test misses ${name}\n${said}`);
		assert.match(said, /was expected, and/);
	}
});

// Its sale was over one day, and from then on the check found a rule whose time is over, in every guide that shows the check.
test('none of its dates is over for years', () => {
	const soon = new Date().getFullYear() + 5, days = declarations('rule').flatMap(({ all }) => [...all.matchAll(/\b(?:starts|ends|date)\s*=[^,]*?"(\d{4})-/g)]);
	assert.ok(days.length >= 5, `${days.length} days`);
	for (const [said, year] of days) assert.ok(Number(year) > soon, said);
});

test('without any one of the caps a test fails', (t) => {
	const caps = declarations('cap');
	assert.deepEqual(caps.map(({ name }) => name).sort(), ['one-interruption-a-day', 'one-letter-in-three-days', 'one-text-a-day', 'three-messages-a-week']);
	for (const { name, all } of caps) {
		const { status, said } = testIn(changedStore(t, (text) => text.replace(all, '')));
		assert.equal(status, 1, `no test misses ${name}\n${said}`);
		assert.match(said, /was expected, and/);
	}
});

// The rules that look at behaviour, by their text and that of the segments they name.
function rulesOnBehaviour() {
	const facts = /\b(viewed|searched|added|bought|clicked|opened|affinity|engagement|orders|revenue|average_order|days_since_order|visits|new_visitor|days_since_visit)\b/;
	const segments = new Map(declarations('segment').map(({ name, all }) => [name, all]));
	const looks = (all) => facts.test(all.replace(/"[^"\n]*"/g, '""')) || [...all.matchAll(/segment = "([^"]+)"/g)].some(([, name]) => looks(segments.get(name)));
	return declarations('rule').filter(({ all }) => /^\s+slot\s/m.test(all) && looks(all)).map(({ name }) => name);
}

test('of those who did not agree to it, nobody is shown what looks at behaviour', (t) => {
	const rules = rulesOnBehaviour();
	assert.ok(rules.length > 15, `${rules.length} rules`);
	const named = (text) => rules.filter((name) => text.includes(`"${name}"`));
	const folder = changedStore(t, (text) => text.replace(/\bconsent(\s*)= \{ "[^}]*\}/g, 'consent$1= { "analytics", "email" }'));
	// Only so many failures are told, and messages, which have consents of their own, are tried above.
	cpSync(join(tree, 'rules/shop/messages.lua'), join(folder, 'shop/messages.lua'));
	const { stdout } = run(['test', '--json'], { cwd: folder });
	const messages = JSON.parse(stdout).errors.map(({ message }) => message);
	for (const { name, all } of declarations('test')) {
		const wanted = named(all.slice(all.indexOf('expect')));
		const said = messages.filter((message) => message.startsWith(`test "${name}": `)).join('\n');
		for (const rule of wanted) assert.ok(said.includes(`"${rule}"`), `${rule} wins without consent in "${name}"\n${said}`);
	}
	for (const message of messages) assert.deepEqual(named(message.split(' was expected, and ')[1] ?? ''), [], message);
});
