// floorwalker check as people, programs and workflows read it; and as a gate that a rule set passes before it serves.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, startDaemon, temporaryFolder, until, writeFiles } from './daemon.mjs';
import { askFresh, processes, question, rules, serve } from './server.mjs';

const hidden = 'slot "h" { channel = "web", default = {} }\nrule "strong" { slot = "h", priority = 1, when = { country = { "CA", "NO" } }, show = {} }\n'
	+ 'rule "weak" { slot = "h", when = { country = "CA", device = "tv" }, show = {} }\n';
const maybe = 'slot "m" { channel = "web" }\nrule "some" { slot = "m", when = { country = "CA" }, show = {} }\n';

function shop(t, files) {
	const folder = writeFiles(temporaryFolder(t), { 'floorwalker.lua': 'rules = "rules"\ncompliance = "law"\n', 'rules/a.lua': hidden, 'law/g.lua': '', ...files });
	return { folder, check: (...args) => run(['check', ...args], { cwd: folder }) };
}

test('text: what was found, with its place, a hint and a code, and how much there was', (t) => {
	const { check } = shop(t, { 'rules/b.lua': maybe });
	const { status, stdout } = check();
	assert.equal(status, 1);
	assert.equal(stdout, 'a.lua:3: rule "weak" can never win: "strong" is of higher priority and matches every visitor that it matches; '
		+ 'give it a higher priority, make the others narrower, or take it out [never_wins]\n'
		+ 'no errors: rules 3, slots 2, guards 0, segments 0; tests passed 0; findings 1, possible 1 (--all shows them)\n');
	assert.match(check('--all').stdout, /^b\.lua:1: possibly: slot "m" has no default, .*: \{\}; .* \[empty_slot\]$/m);
});

test('what is only possible leaves the exit status alone', (t) => {
	const { check } = shop(t, { 'rules/a.lua': maybe });
	assert.equal(check().status, 0);
	assert.equal(check('--all').status, 0);
});

test('JSON: the shape that is promised, and a visitor that decide confirms', (t) => {
	const tie = 'slot "h" { channel = "web", default = {} }\nrule "a" { slot = "h", when = { country = "CA" }, show = {} }\n'
		+ 'rule "b" { slot = "h", when = { device = "tv" }, show = { b = 1 } }\n';
	const { folder, check } = shop(t, { 'rules/a.lua': tie });
	const { status, stdout } = check('--json');
	assert.equal(status, 1);
	const { errors, findings: [found, ...more] } = JSON.parse(stdout);
	assert.deepEqual([errors, more], [[], []]);
	assert.deepEqual(Object.keys(found), ['code', 'rule', 'with', 'verdict', 'message', 'hint', 'witness', 'file', 'line']);
	assert.deepEqual([found.code, found.rule, found.with, found.verdict, found.file, found.line], ['tie', 'b', ['a'], 'certain', 'a.lua', 3]);
	const { stdout: said } = run(['explain', '--slot', 'h', '--facts', JSON.stringify(found.witness), '--json'], { cwd: folder });
	const { candidates } = JSON.parse(said).slots.h;
	assert.deepEqual(candidates.map(({ rule, reason, by, on }) => [rule, reason, by, on]), [['a', 'won', undefined, undefined], ['b', 'beaten', 'a', 'id']]);
});

test('annotations: a workflow command a finding, with the path from here', (t) => {
	const { folder, check } = shop(t, { 'law/g.lua': 'guard "g" { applies = { rule = "gone" }, require = { country = "CA" }, because = "100 %" }' });
	const { status, stdout } = check('--annotations');
	assert.equal(status, 1);
	assert.match(stdout, /^::warning file=rules\/a\.lua,line=3,title=never_wins::rule "weak" can never win: .*$/m);
	assert.match(stdout, /^::warning file=law\/g\.lua,line=1,title=no_such_tag::guard "g" applies to the rule "gone", and there is none; .*$/m);
	writeFiles(folder, { 'rules/a.lua': 'slot "s" { chanel = "web" }' });
	assert.match(check('--annotations').stdout, /^::error file=rules\/a\.lua,line=1,title=error::.*did you mean "channel"\?$/m);
});

test('check = "error": a reload with a finding is refused, and the old set goes on', async (t) => {
	const store = await serve(t, { config: { check: 'error' } });
	store.write({ 'shop/home.lua': rules('two', hidden) });
	const { status, stdout, stderr } = store.reload();
	assert.equal(status, 1);
	assert.match(stdout + stderr, /home\.lua:\d+: rule "weak" can never win: .* \[never_wins\]/);
	assert.equal(await store.banner(), 'one');
	store.write({ 'shop/home.lua': rules('three') });
	assert.equal(store.reload().status, 0);
	assert.equal(await store.banner(), 'three');
});

test('check = "error": what has passed serves on, after a crash and a start, when a rule of it is over', async (t) => {
	const ends = new Date(Date.now() + 8000);
	const short = `rule "short" { slot = "s", priority = 9, ends = "${ends.toISOString().slice(0, 19)}Z", when = { country = "CA" }, show = {} }\n`;
	const store = await serve(t, { config: { check: 'error' }, files: { 'shop/home.lua': rules('one', short) } });
	assert.equal(store.status().generation, 1);
	await until(() => Date.now() > ends.getTime() + 1000, { what: 'the rule is over' });
	const { status, stdout, stderr } = store.reload();
	assert.equal(status, 1);
	assert.match(stdout + stderr, /rule "short": its time is over/);
	process.kill(processes(store).loader, 'SIGKILL');
	await until(() => store.status().kept && store.status().state === 'serving', { what: 'a generation from the copy' });
	assert.equal(await store.banner(), 'one');
	await store.daemon.stop();
	const daemon = await startDaemon(t, store.config);
	const answer = await askFresh(`${daemon.url}/v1/decide`, question);
	assert.equal(JSON.parse(answer.text).decisions.s.content.banner, 'one');
});

test('check = "warn": it serves, and the log says what was found', async (t) => {
	const store = await serve(t, { config: { check: 'warn' } });
	const findings = async () => JSON.parse((await askFresh(`${store.url}/v1/rules`)).text).findings;
	assert.deepEqual(await findings(), []);
	store.write({ 'shop/home.lua': rules('two', hidden) });
	assert.equal(store.reload().status, 0);
	// They are told with the rules, as check itself tells them.
	const told = await findings();
	assert.deepEqual(told, JSON.parse(store.command('check', '--json').stdout).findings);
	assert.ok(told.some(({ code, verdict }) => code === 'never_wins' && verdict === 'certain'), JSON.stringify(told));
	store.configure({ check: undefined });
	assert.equal(store.reload().status, 0);
	assert.equal(await findings(), null);
	assert.equal(await store.banner(), 'two');
	assert.ok(store.log().some((line) => /can never win/.test(JSON.stringify(line))), store.daemon.log());
});

// Whether rules of three conditions each, any of 40 products viewed or not, leave nobody for a weaker one: more cases than are looked at.
const wide = (() => {
	let x = 7;
	const below = (n) => ((x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff) >> 8) % n;
	const viewed = (n, more = '') => `{ viewed = { category = "c${n}"${more} } }`;
	const rule = (id, fields, conditions) => `rule "${id}" { slot = "wide", ${fields}when = all { ${conditions.join(', ')} }, show = {} }\n`;
	const three = () => {
		const some = new Set();
		while (some.size < 3) some.add(below(40));
		return [...some].map((n) => (below(2) ? '' : 'none ') + viewed(n));
	};
	return `slot "wide" { channel = "web", default = {} }\n${rule('weak', '', Array.from({ length: 40 }, (_, n) => viewed(n, ', at_least = 0')))}`
		+ Array.from({ length: 240 }, (_, i) => rule(`r-${i}`, 'priority = 1, ', three())).join('');
})();

test('what would take too long is not determined, and said to be', async (t) => {
	const one = shop(t, { 'rules/a.lua': wide }).check('--all');
	assert.equal(one.status, 0);
	assert.match(one.stdout + one.stderr, /a\.lua:2: rule "weak": whether it can win was not determined, there are too many cases/);
	assert.match(one.stdout, /findings 0, not determined 1$/m);
	const store = await serve(t, { config: { check: 'error' } });
	store.write({ 'shop/home.lua': rules('two', wide) });
	assert.equal(store.reload().status, 0);
	assert.equal(await store.banner(), 'two');
	assert.ok(store.log().some((line) => line.not_determined === '1' && /--all/.test(JSON.stringify(line))), store.daemon.log());
});
