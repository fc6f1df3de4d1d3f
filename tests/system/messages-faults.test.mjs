// Messages while whoever sends them, takes them or remembers them is killed: letters to a real mail server, texts to a real Kannel. None is
// lost; what came twice has one key, and was on its way when somebody was killed, for whom it is counted. At each kill all stand still
// first, so that what is on its way is known exactly: what the store says is being sent.
// Seen failing on builds without a protection (meson -Dc_args=-D…): FW_BREAK_LOST (what a worker had in hand when it died is never heard of
// again); FW_BREAK_CLAIM (who could not claim a message sends it nonetheless), with messages that came twice though nobody was killed.

import assert from 'node:assert/strict';
import { random, seed, whenThere } from './acknowledged.mjs';
import { ask, atLength, run, until } from './daemon.mjs';
import { openShop } from './faults.mjs';
import { startKannel } from './kannel.mjs';
import { listAsideOf } from './messages.mjs';
import { freePort } from './peers.mjs';
import { startProxy } from './proxy.mjs';
import { ownPlugins, quick } from './server.mjs';
import { startSmtpAside } from './smtp.mjs';
import { kind as store, killStore, testEverywhere as test } from './stores.mjs';

const full = atLength && store !== 'cluster'; // a Redis can be killed, too
const MESSAGES = full ? 10000 : 300, KILLS = full ? 20 : 5;
const LATE_MS = 2000; // what was on its way when a worker died may arrive so much later
const STILL_MS = full ? 15000 : 5000; // all stand still at a kill, at most: the longer the more messages there are to look through
const SOME = 5; // are on their way at a kill, at least
const WORKERS = 2, AT_ONCE = 10; // deliveries of a channel in a worker

const rules = `
rule "letter" { channel = "email", on = "Order Completed", class = "transactional", send = { subject = "Thank you", text = "{{event.order_id}} is on its way" } }
rule "text" { channel = "sms", on = "Order Shipped", class = "transactional", send = { text = "{{event.order_id}} comes today" } }
`;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const signal = (pids, name) => pids.forEach((pid) => { try { process.kill(pid, name); } catch { /* it has ended */ } });

async function open(t) {
	const port = await freePort(), url = `http://127.0.0.1:${port}`;
	const smtp = await startSmtpAside(t, { slow: 200 }), kannel = await startKannel(t);
	const gateway = await startProxy(t, new URL(kannel.url).origin);
	gateway.slow = 200;
	const sms = { gateway: 'kannel', url: gateway.url + new URL(kannel.url).pathname, username: kannel.username, password: kannel.password, from: '12345', brand: 'Shop', at_once: AT_ONCE, callback: url, secret: 'in-0123456789abcdef' };
	const shop = await openShop(t, {
		files: { 'shop/messages.lua': rules },
		config: {
			listen: [`127.0.0.1:${port}`], plugin_path: ownPlugins, limits: { ...quick, heartbeat_ms: 20000, delivery_ms: 2 * STILL_MS, message_again_ms: 200 },
			plugins: { web: {}, email: { smtp: `smtp://127.0.0.1:${smtp.port}`, from: 'Shop <hello@shop.example>', address: 'Shop Ltd, 1 Road', at_once: AT_ONCE }, sms },
		},
	});
	// What the gateway has: what it took, and what may have reached it before it died.
	const texts = () => gateway.seen.filter(({ reached, outcome }) => reached && (outcome === 202 || outcome === 'away' || outcome === 'pass'))
		.map(({ headers, at }) => ({ to: headers['x-kannel-to'], id: headers['x-kannel-dlr-url'].match(/\/kannel\/([a-z0-9]+)\./)[1], at, channel: 'sms' }));
	return Object.assign(shop, { smtp, kannel, gateway, list: listAsideOf(shop.config), arrived: () => [...smtp.messages().map((one) => ({ ...one, channel: 'email' })), ...texts()] });
}

const addressOf = (i) => (i % 2 ? `+1555${1000000 + i}` : `someone-${i}@mail-${i % 7}.example`);

// What sets off the messages from..to; a batch that had no answer is sent again: every event counts once.
async function send(shop, from, to) {
	for (let next = from; next < to; next += 100) {
		const batch = [];
		for (let i = next; i < Math.min(next + 100, to); i++) {
			batch.push({ type: 'identify', userId: `u-${i}`, messageId: `i-${i}`, traits: { [i % 2 ? 'phone' : 'email']: addressOf(i) } });
			batch.push({ type: 'track', event: i % 2 ? 'Order Shipped' : 'Order Completed', userId: `u-${i}`, messageId: `o-${i}`, properties: { order_id: `A-${i}`, total: 5 } });
		}
		await until(async () => ask(`${shop.url()}/v1/batch`, { batch }).then((a) => a.status === 200, () => false), { what: 'a batch is stored', seconds: 60 });
	}
}

// Whoever a message is on its way to goes on visiting, so that records change under the hands of who sends.
function visits(shop, people) {
	let over = false, n = 0;
	const visiting = (async () => {
		while (!over) {
			const batch = Array.from({ length: 50 }, () => ({ type: 'page', userId: `u-${people()}`, messageId: `v-${n++}`, properties: {} }));
			await ask(`${shop.url()}/v1/batch`, { batch }).catch(() => {});
			await pause(10);
		}
	})();
	return () => { over = true; return visiting; };
}

const sending = async (shop) => (await shop.list('--state', 'sending')).map(({ id, channel }) => ({ id, channel }));

// All stand still: the workers, and what is on its way; nothing when that cannot be found out.
async function standStill(shop) {
	const workers = await whenThere(shop.master(), (k) => (k.workers.length === WORKERS ? k.workers : []), 'both workers');
	const all = (name) => {
		signal(workers, name);
		[shop.smtp, shop.kannel].forEach((peer) => peer.signal(name));
	};
	all('SIGSTOP');
	// What they had handed in before is written meanwhile.
	const looked = (async () => {
		for (let before = await sending(shop); ;) {
			const again = await sending(shop);
			if (JSON.stringify(again) === JSON.stringify(before)) return again;
			before = again;
		}
	})().catch(() => []);
	return { workers, flying: await Promise.race([looked, pause(STILL_MS).then(() => [])]), goOn: () => all('SIGCONT') };
}

const channels = { smtp: 'email', gateway: 'sms' };

// Whoever is killed had at most so many with their servers; and as many again, answered in the last moments, a worker may not have handed in, or a store lose.
const mostTwice = (kind) => AT_ONCE * (kind === 'worker' ? 1 : WORKERS) * (channels[kind] ? 1 : 2) * (['worker', 'workers', 'store'].includes(kind) ? 2 : 1);

// Each kills somebody, then has the others go on.
const kills = {
	worker: ({ still, rnd }) => {
		signal([still.workers[Math.floor(rnd() * WORKERS)]], 'SIGKILL');
		still.goOn();
	},
	workers: ({ still }) => {
		signal(still.workers, 'SIGKILL');
		still.goOn();
	},
	keeper: async ({ shop, still }) => {
		signal(await whenThere(shop.master(), (k) => [k.keeper], 'the keeper'), 'SIGKILL');
		still.goOn();
	},
	smtp: async ({ shop, still, rnd }) => {
		await shop.smtp.kill();
		still.goOn();
		await pause(rnd() * 500);
		await shop.smtp.start();
	},
	// Nobody gets through to it until it is there again: it ends when it is asked while it begins.
	gateway: async ({ shop, still, rnd }) => {
		const { target } = shop.gateway;
		shop.gateway.target = 'http://127.0.0.1:1';
		await shop.kannel.kill();
		still.goOn();
		await pause(rnd() * 500);
		await shop.kannel.start();
		shop.gateway.target = target;
	},
	store: ({ still, rnd }) => killStore(rnd, rnd() * 1000, still.goOn),
};

// Kills while so many as there should be are on their way, which some have ended that nobody has written down yet: what was, when, and of
// whom. `more` sets off more messages, should all be over.
async function kill(shop, kind, rnd, more) {
	const arrived = () => shop.arrived().filter(({ channel }) => channel === (channels[kind] ?? channel));
	for (let sending = more(); ;) {
		const had = arrived().length;
		await until(() => arrived().length >= had + 2, { what: 'some arrive', seconds: 60 });
		const still = await standStill(shop), at = Date.now(), there = new Set(arrived().map(({ id }) => id));
		const those = still.flying.filter(({ channel }) => channel === (channels[kind] ?? channel));
		if (those.length >= SOME && those.some(({ id }) => there.has(id))) {
			await kills[kind]({ shop, still, rnd });
			await sending;
			return { kind, at, flying: new Set(still.flying.map(({ id }) => id)), twice: 0 };
		}
		still.goOn();
		await sending;
		sending = more();
	}
}

// Counts for each kill what came twice by it: what had arrived before, was on its way then, and came again. The others: [text].
function attribute(arrived, struck) {
	const byId = new Map(), others = [];
	for (const one of arrived.sort((a, b) => a.at - b.at)) byId.set(one.id, [...(byId.get(one.id) ?? []), one]);
	for (const [id, times] of byId) {
		const counted = new Set();
		for (let i = 1; i < times.length; i++) {
			const by = struck.find((k) => !counted.has(k) && k.flying.has(id) && times[i - 1].at <= k.at + LATE_MS && times[i].at > k.at);
			if (!by) others.push(`${id} to ${times[i].to} at ${times.map(({ at }) => at - times[0].at)} ms, kills at ${struck.map(({ kind, at, flying }) => `${at - times[0].at}${flying.has(id) ? ` (${kind})` : ''}`)}`);
			else by.twice++;
			counted.add(by);
		}
	}
	return others;
}

test(`${MESSAGES} messages through ${KILLS} kills`, async (t) => {
	const shop = await open(t), rnd = random(seed), struck = [];
	const kinds = ['workers', 'smtp', 'gateway', store === 'lmdb' ? 'keeper' : 'store', 'worker'];
	const step = Math.ceil(MESSAGES / KILLS);
	let sent = 0;
	const more = () => { sent += step; return send(shop, sent - step, sent); };
	const stopVisits = visits(shop, () => Math.max(0, sent - Math.floor(rnd() * step)));
	try {
		for (let k = 0; k < KILLS; k++) struck.push(await kill(shop, kinds[k % kinds.length], rnd, more));
		// A message that was on its way at three kills in a row is dead, and somebody says that it is to be tried again.
		const revive = ({ id, reason }) => {
			assert.match(reason, /^poison/);
			assert.ok(struck.filter(({ flying }) => flying.has(id)).length >= 3, `${id} was on its way at three kills`);
			assert.equal(run(['messages', 'retry', id, '--config', shop.config]).status, 0);
			t.diagnostic(`${id} was dead, and is tried again`);
		};
		const wanted = Array.from({ length: sent }, (_, i) => addressOf(i));
		const missing = () => { const there = new Set(shop.arrived().map(({ to }) => to)); return wanted.filter((to) => !there.has(to)); };
		let left = [];
		const isOver = async () => {
			await pause(200);
			left = await shop.list();
			left.filter(({ state }) => state === 'dead').forEach(revive);
			return left.length === 0 && missing().length === 0;
		};
		await until(isOver, { what: 'all have arrived, and nothing is left', seconds: full ? 900 : 120 })
			.catch((error) => { throw new Error(`${error.message}: ${missing().length} of ${sent} have not, ${left.length} are left, ${JSON.stringify(left[0])}`); });
		const out = () => new Set(shop.kannel.delivered().map(({ to }) => to)).size;
		await until(() => out() === sent / 2, { what: 'every text has come out of the gateway' });
	} finally { await stopVisits(); }
	const others = attribute(shop.arrived(), struck);
	for (const { kind, flying, twice } of struck) t.diagnostic(`${kind}: ${flying.size} on their way, ${twice} of them came twice`);
	const keys = new Map();
	for (const { to, id } of shop.arrived()) keys.set(to, new Set([...(keys.get(to) ?? []), id]));
	assert.deepEqual([...keys].filter(([, ids]) => ids.size !== 1), [], 'one key for all deliveries of a message');
	assert.equal(new Set([...keys.values()].map(([...ids]) => ids[0])).size, sent, 'and each message has its own');
	const late = shop.daemon.log().split('a channel has not said').length - 1;
	if (late) t.diagnostic(`of ${late} messages nothing was heard in time: this machine is too slow for what is asked of it`);
	assert.deepEqual(others, [], 'nothing came twice that was not on its way when somebody was killed');
	for (const { kind, twice } of struck) assert.ok(twice <= mostTwice(kind), `${kind}: ${twice} came twice, more than ${mostTwice(kind)}`);
	assert.ok(struck.some(({ twice }) => twice > 0), 'the kills were felt');
});
