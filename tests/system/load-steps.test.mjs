// A reload is a transaction of steps: whichever of them fails, the former rule set goes on under load, and which it was is told by reload,
// /readyz?verbose, log and metric. The last one before the plugins decides again what was decided lately.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ask } from './daemon.mjs';
import { askUntilLogged } from './decisions.mjs';
import { bearer, secret, servePeople, until } from './people.mjs';
import { askFresh, metrics, quick, runAside } from './server.mjs';

const rules = (banner) => `slot "hero" { channel = "web", default = { banner = "plain" } }
rule "hero" { slot = "hero", when = { country = "CA" }, show = { banner = "${banner}" } }
`;
const context = (country) => ({ location: { country } });

async function open(t, config = {}) {
	const base = { workers: 2, check: 'error', decisions: { log: 'decisions', sample: 1 }, reload: { replay: 50, fail_above: 20 }, limits: { ...quick, drain_ms: 20000 }, ...config };
	const shop = await servePeople(t, { files: { 'shop/home.lua': rules('one') }, config: base });
	const decide = async (country, id) => {
		const { status, text } = await askFresh(`${shop.url}/v1/decide`, { anonymousId: id, slots: ['hero'], context: context(country) }, { authorization: `Bearer ${secret}` });
		assert.equal(status, 200, text);
		return JSON.parse(text).decisions.hero.content.banner;
	};
	const logged = (country, id) => askUntilLogged(shop, () => decide(country, id));
	const lastLoad = async () => JSON.parse((await askFresh(`${shop.url}/readyz?verbose`, undefined, bearer(secret).headers)).text).lastLoad;
	const rewrite = shop.configure;
	return Object.assign(shop, { decide, logged, lastLoad, configure: (more) => rewrite({ ...base, ...more }) });
}

const outcomes = ({ steps }) => Object.fromEntries(steps.map(({ step, outcome }) => [step, outcome]));

test('whichever step fails, the former set goes on, under load, and the step is told', async (t) => {
	const shop = await open(t);
	for (let i = 0; i < 60; i++) await shop.logged(i % 2 ? 'CA' : 'DE', `device-of-many-${i}`);
	// What visitors are shown all the while.
	let over = false;
	const seen = new Map();
	const asking = Array.from({ length: 4 }, async (_, k) => {
		for (let i = 0; !over; i++) {
			const banner = await shop.decide('CA', `device-under-load-${k}-${i}`);
			seen.set(banner, (seen.get(banner) ?? 0) + 1);
		}
	});
	t.after(() => { over = true; return Promise.all(asking); });
	const failing = {
		configuration: () => shop.configure({ listne: [] }),
		rules: () => shop.write({ 'shop/home.lua': 'rule "x" { slot = "hreo", show = {} }\n' }),
		tests: () => shop.write({ 'shop/home.lua': `${rules('one')}test "no" { given = { country = "CA" }, expect = { hero = "default" } }\n` }),
		check: () => shop.write({ 'shop/home.lua': `${rules('one')}rule "weak" { slot = "hero", priority = -1, when = { country = "CA" }, show = { banner = "weak" } }\n` }),
		catalog: () => shop.configure({ catalog: { file: 'shop' } }),
		replay: () => shop.write({ 'shop/home.lua': rules('two') }),
		plugins: () => shop.configure({ plugins: { web: {}, nowhere: {} } }),
	};
	const order = Object.keys(failing);
	let failed = 0;
	for (const [step, spoil] of Object.entries(failing)) {
		const before = (await shop.lastLoad()).at;
		spoil();
		shop.daemon.signal('SIGHUP');
		const outcome = await until(async () => { const load = await shop.lastLoad(); return load.at !== before && load; }, { what: `the load is over that fails at ${step}` });
		const told = outcomes(outcome), stdout = JSON.stringify(outcome);
		assert.equal(outcome.ok, false);
		assert.equal(told[step], 'failed', `${step}: ${stdout}`);
		assert.deepEqual(Object.keys(told), order.slice(0, order.indexOf(step) + 1), 'what comes after it is not reached');
		assert.ok(outcome.errors.length >= 1 && outcome.errors[0].message, step);
		await until(() => shop.log().some((line) => line.msg === 'a step of the load failed' && line.step === step), { what: `the log says that ${step} failed` });
		assert.equal((await metrics(shop))[`floorwalker_load_steps_failed_total{step="${step}"}`], 1, step);
		failed++;
		assert.equal((await metrics(shop))['floorwalker_loads_total{result="refused"}'], failed);
		shop.write({ 'shop/home.lua': rules('one') });
		shop.configure({});
	}
	const { stdout, stderr, status } = await runAside(['reload', '--config', shop.config]);
	assert.equal(status, 0, stderr);
	assert.match(stdout, /^reloaded: generation \d+ serves rule set \w+\n {2}configuration ok +\d+ ms\n {2}rules +ok +\d+ ms\n {2}tests +ok +\d+ ms {2}0 of them\n {2}check +ok +\d+ ms {2}0 found for certain, 0 not determined\n {2}catalog +skipped +0 ms.*\n {2}replay +ok +\d+ ms {2}0 of 50 decisions would be others \(0 %\); 0 could not be determined\n {2}plugins +ok +\d+ ms\n$/);
	over = true;
	await Promise.all(asking);
	assert.deepEqual([...seen.keys()], ['one']);
	t.diagnostic(`${seen.get('one')} answers meanwhile`);
});

test('more that would change than may refuses the set, and says how much', async (t) => {
	const shop = await open(t);
	for (let i = 0; i < 40; i++) await shop.logged(i % 4 ? 'DE' : 'CA', `device-of-many-${i}`);
	shop.write({ 'shop/home.lua': rules('two') });
	const refused = shop.command('reload');
	assert.equal(refused.status, 1);
	assert.match(refused.stderr, /10 of the last 40 decisions would be others by these rules \(25 %\), which is more than fail_above = 20; "floorwalker replay" says which; raise fail_above/);
	assert.match(refused.stderr, /\n {2}replay +failed +\d+ ms {2}10 of 40 decisions would be others \(25 %\); 0 could not be determined\n/);
	assert.equal(await shop.decide('CA', 'device-of-many-0'), 'one');
	shop.configure({ reload: { replay: 50, fail_above: 30 } });
	const fine = JSON.parse(shop.command('reload', '--json').stdout);
	assert.deepEqual([fine.ok, outcomes(fine).replay], [true, 'ok']);
	assert.equal(await shop.decide('CA', 'device-of-many-0'), 'two');
});

test('what cannot be replayed refuses nothing, and is said', async (t) => {
	const shop = await open(t);
	assert.deepEqual(shop.status().lastLoad.steps.find(({ step }) => step === 'replay'), { step: 'replay', outcome: 'skipped', ms: 0, note: 'a start' });
	shop.configure({ decisions: undefined });
	const { stdout, status } = shop.command('reload', '--json');
	assert.equal(status, 0, stdout);
	assert.match(JSON.parse(stdout).steps.find(({ step }) => step === 'replay').note, /nothing could be replayed/);
	await until(() => shop.log().some(({ level, msg }) => level === 'warn' && /cannot be decided again/.test(msg)), { what: 'the log says so' });
	// What is in the log says nothing of any rules, once the person was erased.
	shop.configure({});
	assert.equal(shop.command('reload').status, 0);
	await shop.logged('CA', 'device-of-julia-00001');
	await ask(`${shop.url}/v1/visitors/anonymous:device-of-julia-00001`, undefined, { method: 'DELETE', ...bearer(secret) });
	const replay = await until(async () => {
		const { steps } = JSON.parse((await runAside(['reload', '--json', '--config', shop.config])).stdout), one = steps.find(({ step }) => step === 'replay');
		return /determined/.test(one.note) && one;
	}, { what: 'nothing can be determined' });
	assert.deepEqual([replay.outcome, /^of no decision could be determined/.test(replay.note)], ['skipped', true], replay.note);
	for (const [reload, wrong] of [[{ replay: -1 }, /replay/], [{ fail_above: 101 }, /fail_above/], [{ replays: 5 }, /replays/]]) {
		shop.configure({ reload });
		const { status: no, stderr } = shop.command('reload');
		assert.equal(no, 1);
		assert.match(stderr, wrong);
	}
	for (const args of [['--last', '0'], ['--last', 'x']]) assert.equal(shop.command('replay', '--config', join(shop.folder, 'floorwalker.lua'), ...args).status, 2);
});

// Seen failing without PR_SET_PDEATHSIG (server/rehearsal.c).
test('a load that takes too long is ended, and its replay with it', async (t) => {
	const shop = await open(t, { limits: { ...quick, load_ms: 6000 } });
	await shop.logged('CA', 'device-of-karla-00001');
	const replays = () => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
		try {
			const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
			return words[1] === 'replay' && words.includes(shop.config);
		} catch { return false; }
	});
	// One that is stopped before it has come to its end; some are faster.
	let outcome, stopped;
	await until(async () => {
		const reload = runAside(['reload', '--json', '--config', shop.config]).then(({ stdout }) => { outcome = JSON.parse(stdout); });
		for (outcome = undefined; !outcome && !stopped; await new Promise((done) => { setTimeout(done, 1); })) [stopped] = replays();
		try { process.kill(stopped, 'SIGSTOP'); } catch { stopped = undefined; }
		await reload;
		return !outcome.ok;
	}, { what: 'a replay does not come to its end' });
	assert.equal(outcomes(outcome).replay, 'failed');
	await until(() => replays().length === 0, { what: 'the replay has ended' });
	assert.equal(await shop.decide('CA', 'device-of-karla-00001'), 'one');
});
