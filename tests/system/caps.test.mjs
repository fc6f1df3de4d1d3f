// What is under a cap is shown to a visitor exactly as often as it says: by several workers, over many connections at once,
// across restarts and reloads.

import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import test from 'node:test';
import { long, startDaemon } from './daemon.mjs';
import { alive, askFresh, metrics, processes, serve, until } from './server.mjs';
import { kind, storeOf } from './stores.mjs';

const rules = `slot "hero" { channel = "web", default = { banner = "none" } }
slot "strip" { channel = "web", show_up_to = 2 }
rule "ask" { slot = "hero", priority = 9, show = { banner = "ask" } }
rule "twice" { slot = "strip", priority = 9, show = { offer = "twice" } }
rule "often" { slot = "strip", show = { offer = "often" } }
cap "three" { applies = { rule = { "ask", "twice" } }, limit = 3, per = "1d" }
cap "two" { applies = { rule = "twice" }, limit = 2, per = "7d" }
`;

const visitors = long ? 10000 : 200;
const connections = 64;
const seed = Number(process.env.FW_SEED ?? 20261125);

async function shop(t) {
	return serve(t, { files: { 'shop/home.lua': rules }, config: { store: await storeOf(t) } });
}

// Requests over `connections` kept-alive connections; what a connection lost is asked again, which nobody has seen the answer to.
function client(t, url) {
	const agent = new Agent({ keepAlive: true, maxSockets: connections });
	t.after(() => agent.destroy());
	return (path, body) => new Promise((done, fail) => {
		const req = request(url + path, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (answer) => {
			let text = '';
			answer.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => done({ status: answer.statusCode, text })).on('error', fail);
		});
		req.on('error', fail).end(JSON.stringify(body));
	});
}

// An answer that a store in reach gave: one over a network may be too late (a worker that has just begun, a machine under load), which
// shows nothing under a cap and takes no place.
async function judged(asks) {
	for (const end = Date.now() + 60000; ;) {
		const { status, text } = await asks();
		assert.equal(status, 200, text);
		const answer = JSON.parse(text);
		if (!answer.degraded) return answer;
		assert.ok(kind !== 'lmdb' && Date.now() < end, text);
		degraded++;
	}
}

let degraded = 0;
async function winners(post, visitor) {
	const answer = await judged(() => post('/v1/decide', { anonymousId: visitor }));
	return Object.values(answer.decisions).flatMap((slot) => slot.winners.map(({ rule }) => rule));
}

// The list in a random order that the seed gives.
function shuffled(list) {
	let state = seed;
	const random = () => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return state / 2 ** 32; };
	const copy = [...list];
	for (let i = copy.length - 1; i > 0; i--) {
		const k = Math.floor(random() * (i + 1));
		[copy[i], copy[k]] = [copy[k], copy[i]];
	}
	return copy;
}

const name = (i) => `visitor-${String(i).padStart(8, '0')}-0123456789`;

test('the limit is exact for each visitor, over many connections and two workers', async (t) => {
	const served = await shop(t);
	const post = client(t, served.url);
	const seen = new Map();
	const times = 8;
	degraded = 0;
	const asked = shuffled(Array.from({ length: visitors * times }, (_, i) => i % visitors));
	await Promise.all(Array.from({ length: connections }, async () => {
		while (asked.length) {
			const visitor = name(asked.pop());
			for (const rule of await winners(post, visitor)) seen.set(`${visitor} ${rule}`, (seen.get(`${visitor} ${rule}`) ?? 0) + 1);
		}
	}));
	// "ask" and "twice" share three places, and "twice" has two of its own.
	for (let i = 0; i < visitors; i++) {
		const [asks, twices, oftens] = ['ask', 'twice', 'often'].map((rule) => seen.get(`${name(i)} ${rule}`) ?? 0);
		assert.deepEqual([asks + twices, oftens], [3, times], `${name(i)}: ask ${asks}, twice ${twices}, often ${oftens}; FW_SEED=${seed}`);
		assert.deepEqual([asks, twices], [2, 1], 'the stronger by name takes first, both while there are two places');
	}
	const counts = Object.fromEntries(JSON.parse((await askFresh(`${served.url}/v1/rules`)).text).rules.map((rule) => [rule.rule, rule]));
	assert.deepEqual([counts.ask.won, counts.twice.won, counts.often.won], [2 * visitors, visitors, times * visitors + degraded]);
	assert.deepEqual([counts.ask.capped - degraded, counts.twice.capped - degraded], [(times - 2) * visitors, (times - 1) * visitors], 'counted exactly, however often a decision was made again');
	const told = await metrics(served);
	assert.equal(told['floorwalker_decisions_total'], times * visitors + degraded);
	assert.equal(told['floorwalker_cap_refusals_total{cap="three"}'] + told['floorwalker_cap_refusals_total{cap="two"}'], (2 * times - 3) * visitors + 2 * degraded);
	assert.ok(told['floorwalker_cap_failures_total'] <= 2 * degraded, 'a place is given or refused');
});

test('one visitor who asks a hundred times at once', async (t) => {
	const served = await shop(t);
	const post = client(t, served.url);
	// Sometimes one worker takes all of them, and none meets another.
	for (let i = 0; i === 0 || (await metrics(served))['floorwalker_cap_conflicts_total'] === 0; i++) {
		const all = (await Promise.all(Array.from({ length: 100 }, () => winners(post, name(i))))).flat();
		assert.deepEqual(['ask', 'twice', 'often'].map((rule) => all.filter((one) => one === rule).length), [2, 1, 100]);
		assert.ok(i < 50, 'none of them met another');
	}
});

test('explain says which cap, and until when; it takes nothing', async (t) => {
	const served = await shop(t);
	const explain = async (visitor) => {
		const body = await judged(() => askFresh(`${served.url}/v1/explain`, { anonymousId: visitor, slots: ['hero'] }));
		return body.slots.hero.candidates.find(({ rule }) => rule === 'ask');
	};
	for (let i = 0; i < 5; i++) assert.equal((await explain(name(0))).reason, 'won');
	const before = Date.now();
	for (let i = 0; i < 2; i++) await judged(() => askFresh(`${served.url}/v1/decide`, { anonymousId: name(0) }));
	const after = Date.now();
	const { reason, cap, until: ends } = await explain(name(0));
	assert.deepEqual([reason, cap], ['capped', 'three']);
	// Three places in one day: one is free again a day after the first.
	assert.ok(Date.parse(ends) >= before - 1 + 86400000 && Date.parse(ends) <= after + 86400000, ends);
	assert.equal((await explain(name(1))).reason, 'won', 'another visitor has seen nothing');
	const nobody = (await served.ask('/v1/explain', { slots: ['hero'] })).body.slots.hero.candidates[0];
	assert.deepEqual([nobody.reason, nobody.cap, nobody.until], ['capped', 'three', undefined], 'without an id a capped candidate never wins');
});

test('nobody and a crawler see nothing under a cap, and wait for nothing', async (t) => {
	const served = await shop(t);
	for (const body of [{}, { anonymousId: name(0), context: { userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' } }]) {
		const answer = await served.ask('/v1/decide', body); // nothing is read
		assert.equal(answer.body.degraded, undefined);
		assert.deepEqual(Object.values(answer.body.decisions).flatMap((slot) => slot.winners.map(({ rule }) => rule)), ['often']);
		assert.doesNotMatch(answer.headers.get('server-timing'), /store/);
	}
	const answer = await served.ask('/v1/decide', { anonymousId: name(0) });
	assert.match(answer.headers.get('server-timing'), /^facts;dur=\d+\.\d{3}, decide;dur=\d+\.\d{3}, store;dur=\d+\.\d{3}$/);
});

test('what was shown is remembered by other workers, after their deaths, reloads and a restart', async (t) => {
	const served = await shop(t);
	let { url } = served;
	const shown = async (visitor) => (await judged(() => askFresh(`${url}/v1/decide`, { anonymousId: visitor }))).decisions.hero.reason;
	const expectOnce = async (i, message) => {
		assert.deepEqual([await shown(name(i)), await shown(name(i))], ['rule', 'rule'], message);
		return async () => assert.equal(await shown(name(i)), 'default', message);
	};
	const first = await expectOnce(0, 'a worker that died');
	for (const pid of processes(served).workers) {
		process.kill(pid, 'SIGKILL');
		await until(() => !alive(pid));
	}
	await until(() => processes(served).workers.filter(Boolean).length === 2);
	await first();
	const second = await expectOnce(1, 'a reload');
	assert.equal(served.reload().status, 0);
	await first();
	await second();
	const third = await expectOnce(2, 'a restart');
	assert.equal(await served.daemon.stop(), 0);
	({ url } = await startDaemon(t, served.config));
	await first();
	await second();
	await third();
});
