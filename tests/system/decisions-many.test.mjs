// Ten thousand decisions of every kind (a hundred, in short): of requests, explanations, flags, pages that stay open, under a cap, of lists in
// order and of products that sell out meanwhile, and of messages. Each is explained byte for byte by another process, once no daemon is there,
// and again from another store that the people were copied to; and all of them made again by their own rules come out as they did.
// Seen failing with a log that is not told which places under a cap were the page's own (fw_logged_take_own left out), with one that is not
// told what was sold out (fw_products_then_note_stock), and where an explanation asks for the stock of a default that is not shown.

import './release.mjs';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test from 'node:test';
import { random } from './acknowledged.mjs';
import { environment, long, releaseProgram } from './daemon.mjs';
import { context, rules } from './decisions.mjs';
import { fakeChannel, withMessages } from './messages.mjs';
import { bearer, event, secret, servePeople, until } from './people.mjs';
import { startRedis } from './redis.mjs';
import { askFresh, metrics, runAside } from './server.mjs';
import { openStream } from './sse.mjs';
import { moveTo } from './stores.mjs';

const many = long ? 10000 : 100, people = long ? 400 : 40, buyers = long ? 200 : 4;
const list = '{ "B-7", "L-1", "K-1", "M-1" }';
const sale = `slot "sale" { channel = "web" }
slot "row" { channel = "web", default = { products = { "H-1" } } }
segment "fans" { when = { viewed = { category = "boots", at_least = 3 } } }
rule "cheap" { slot = "sale", priority = 2, when = { price = { product = "B-7", at_most = 50 } }, show = { products = { "B-7", "L-1" } } }
rule "fans" { slot = "sale", priority = 1, when = { segment = "fans" }, show = function(v) return { visits = v.visits, from = v.country } end }
rule "season" { slot = "sale", starts = "2026-01-01", show = { product = "L-1" } }
rule "liked" { slot = "row", show = { headline = "For you", products = order { items = ${list}, by = { "affinity", "price" }, limit = 3 } } }
rule "offer" { channel = "email", on = "Order Completed", priority = 5, send = function(v) return { text = "for " .. v:get("event.order_id", "you") } end }
cap "one-offer" { applies = { rule = "offer" }, limit = 1, per = "1d", or_else = "defer" }
`;
const agents = [context.userAgent, 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36'];
const crawler = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'; // what is asked for an id by one is not logged
const device = (i) => `device-of-somebody-${String(i).padStart(6, '0')}`;

async function open(t) {
	const item = (id, category, price) => `${JSON.stringify({ id, product_type: category, availability: 'in_stock', price })}\n`;
	const feed = item('B-7', 'boots', 40) + item('L-1', 'lamps', 20) + item('K-1', 'boots', 90) + item('M-1', 'maps', 10) + item('H-1', 'hats', 5);
	const shop = withMessages(await servePeople(t, { files: { 'shop/decisions.lua': rules('one'), 'shop/sale.lua': sale, 'feed.jsonl': feed },
		config: { workers: 2, holdout: 10, catalog: { file: 'feed.jsonl' }, decisions: { log: 'decisions', sample: 1 }, limits: { drain_ms: 20000 }, plugin_path: fakeChannel(t), plugins: { web: {}, email: { file: 'sent.jsonl' } } } }));
	const pick = random(20261127), below = (n) => Math.floor(pick() * n);
	for (let i = 0; i < people; i += 20) {
		const batch = Array.from({ length: 20 }, (_, k) => i + k).flatMap((k) => {
			const who = { anonymousId: device(k), ...k % 3 ? {} : { userId: `user-${k}` } };
			return [...k % 3 ? [] : [{ type: 'identify', ...who, traits: { plan: k % 2 ? 'про' : 'basic', name: `имя-${k}` } }], ...Array.from({ length: below(5) }, () => event(who)),
				...k % 4 ? [] : [event({ ...who, event: 'Product Added', properties: { product_id: 'B-7', price: 19.95 } })]];
		});
		const { status, body } = await shop.send('batch', { batch });
		assert.equal(status, 200, JSON.stringify(body));
	}
	return { shop, pick, below };
}

const slots = ['hero', 'strip', 'hidden', 'sale', 'row'];

// A question of some kind: { path, body }. `all` are those before it.
function question({ pick, below }, all) {
	const one = (list) => list[below(list.length)], maybe = (of) => (pick() < 0.5 ? of : {});
	const k = below(people), somebody = one([{ anonymousId: device(k) }, { anonymousId: device(k) }, { userId: `user-${k - k % 3}` }, { anonymousId: `nobody-has-seen-${below(1e6)}` }]);
	const who = one([somebody, somebody, somebody, somebody, {}]), traits = { plan: one(['про', 'basic', 7]), size: [1, 2.5, 'x', true] };
	const about = { ...context, userAgent: one(Object.keys(who).length ? agents : [...agents, crawler]), location: one([{ country: 'CA' }, { country: 'DE', region: 'BE' }, undefined]), ...maybe({ traits }),
		...maybe({ consent: { categoryPreferences: { personalization: pick() < 0.5 } } }) };
	const some = one([undefined, ['hero', 'row'], ['strip', 'sale'], ['hero', 'strip', 'hidden', 'sale']]), body = { context: about, ...who, ...some && { slots: some } };
	const { location, traits: told, ...flagged } = about, { anonymousId, ...user } = somebody;
	const flags = { context: { ...flagged, userAgent: one(agents), ...told && { plan: told.plan }, ...anonymousId && { targetingKey: anonymousId }, ...user } };
	// A page that is shown an answer asks again, and what it shows stays its own.
	const before = all.filter((x) => x?.path === '/v1/decide' && x.body.anonymousId), again = before.length ? before[below(before.length)] : undefined;
	const kinds = [{ path: '/v1/decide', body }, { path: '/v1/decide', body }, { path: '/v1/decide', body: again ? { ...again.body, shown: again.id } : body },
		{ path: '/v1/explain', body }, { path: '/v1/explain', body: { ...body, channels: ['email'] } }, { path: '/v1/explain', body: { ...body, changes: true } },
		{ path: '/ofrep/v1/evaluate/flags', body: flags }, { path: `/ofrep/v1/evaluate/flags/${one(slots)}`, body: flags }, { path: '/v1/stream', body: { ...body, context: { ...about, userAgent: one(agents) }, ...somebody } }];
	return one(kinds);
}

// The answer, or the first event of a page that stays open: { text, told }.
async function answerTo(shop, { path, body }) {
	if (path !== '/v1/stream') {
		const { status, text } = await askFresh(shop.url + path, body, { authorization: `Bearer ${secret}` });
		assert.equal(status, 200, text);
		return { text, told: JSON.parse(text) };
	}
	const stream = await openStream(shop.url + path, { body, ...bearer(secret) });
	assert.equal(stream.status, 200, stream.text);
	const told = await stream.next();
	stream.close();
	return { told };
}

// What the catalogue says changes now and then.
async function sell({ shop, below }) {
	const ids = ['B-7', 'L-1', 'K-1', 'M-1', 'H-1'];
	const products = [below(2) ? { id: ids[below(5)], price: 20 + below(60) } : { id: ids[below(5)], availability: below(3) ? 'in_stock' : 'out_of_stock' }];
	assert.equal((await askFresh(`${shop.url}/v1/products`, { products }, { authorization: `Bearer ${secret}` })).status, 200);
}

// All are asked, several at once: [{ path, body, id, text, told }].
async function askAll(make) {
	const all = [], asking = Array.from({ length: 8 }, async () => {
		while (all.length < many) {
			const asked = question(make, all), at = all.push(undefined) - 1;
			if (at % 25 === 24) await sell(make);
			const { text, told } = await answerTo(make.shop, asked);
			all[at] = { ...asked, id: told.decisionId ?? (told.metadata ?? told.flags[0].metadata).decisionId, text, told };
		}
	});
	await Promise.all(asking);
	return all;
}

// Those who buy are written to, twice, and the second offer is put off: [{ id, rule, reason }], what became of each message.
async function writeTo(shop) {
	const users = Array.from({ length: buyers }, (_, k) => `buyer-${k}`);
	for (const user of users) {
		await shop.meet(user, `${user}@shop.example`);
		await shop.happen(user, 'Order Completed', { order_id: `Ж-${user}`, total: 5 });
	}
	const became = async () => (await Promise.all(users.map(async (user) => (await shop.visitor(user)).messages))).flat();
	const decided = (n) => until(async () => {
		const all = (await became()).map(({ rule, what, decisionId }) => ({ rule, reason: what === 'sent' ? 'won' : what, id: decisionId }));
		return all.length === n * users.length && all;
	}, { what: `of each ${n} are decided`, seconds: 120 });
	await decided(2);
	for (const user of users) await shop.happen(user, 'Order Completed', { order_id: `Я-${user}`, total: 5 });
	const all = await decided(4);
	for (const reason of ['won', 'deferred']) assert.ok(all.some((m) => m.reason === reason && m.id), reason);
	return all;
}

function explained(config, id, ...args) {
	const child = spawn(releaseProgram, ['explain', '--decision', id, '--json', '--config', config, ...args], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
	const answer = { stdout: '', stderr: '' };
	for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => { answer[name] += text; });
	return new Promise((done) => child.on('close', (status) => done({ status, ...answer })));
}

// Until `n` decisions are logged or counted as dropped: how many were dropped, which is for a store too busy to give a key in time alone.
async function logAll(shop, n) {
	return until(async () => {
		const { floorwalker_decisions_logged_total: logged, ...counts } = await metrics(shop);
		const dropped = Object.entries(counts).filter(([name, count]) => name.startsWith('floorwalker_decisions_log_dropped_total') && count > 0);
		for (const [name] of dropped) assert.match(name, /reason="key"/);
		const [[, count] = ['', 0]] = dropped;
		return logged + count >= n && { count };
	}, { what: `${n} are logged` }).then(({ count }) => count);
}

// Which of the lists' decisions are not in the log: no more than were dropped.
async function missingOf(config, lists, dropped) {
	const missing = new Set(), ids = new Set(dropped ? lists.flat().map(({ id }) => id) : []);
	for (const id of ids) {
		const { status, stderr } = await explained(config, id);
		if (status === 0) continue;
		assert.match(stderr, /the decision log does not have it: /);
		missing.add(id);
	}
	assert.ok(missing.size <= dropped, `${missing.size} of ${ids.size} are not in the log, and ${dropped} were dropped`);
	return missing;
}

// What a rule shows, as far as the log tells it: what stands in the rules, what a function makes of facts that are told, and a list's order.
const said = {
	boots: () => ({ banner: 'one' }), half: () => ({ banner: 'half' }), pro: () => ({ n: 3 }), capped: () => ({ is: 'once' }), season: () => ({ product: 'L-1' }),
	fans: ({ facts }) => ({ visits: facts.visits, from: facts.country }),
	liked: ({ slots: { row } }) => {
		const [{ items }] = row.candidates.find((c) => c.rule === 'liked').order;
		return { headline: 'For you', products: items.filter(({ place }) => place).sort((a, b) => a.place - b.place).map(({ item }) => item) };
	},
};

function sameContent(explanation, rule, content, what) {
	if (said[rule]) assert.deepEqual(content, JSON.parse(JSON.stringify(said[rule](explanation))), what);
}

// An answer's slots, as the explanation has them; a flag tells of its first winner, and of a slot of several what all of them show.
function sameAsShown({ id, told }, explanation) {
	for (const [slot, { reason, winners, content }] of Object.entries(told.decisions ?? {})) {
		const then = explanation.slots[slot], what = `${slot} of ${id}`;
		assert.deepEqual([then.reason, then.winners], [reason, winners.map((w) => w.rule)], what);
		if (winners.length) assert.deepEqual(content, winners[0].content, what);
		for (const w of winners) sameContent(explanation, w.rule, w.content, what);
		if (!winners.length && slot === 'hero') assert.deepEqual(content, { banner: 'plain' }, what);
	}
	for (const { key, variant, value, reason, metadata } of told.flags ?? (told.key ? [told] : [])) {
		const then = explanation.slots[key], what = `${key} of ${id}`;
		assert.deepEqual([metadata.decisionId, then.winners[0] ?? 'default', then.reason === 'holdout'], [id, variant, metadata.holdout ?? false], what);
		assert.equal(reason, !then.winners.length ? 'DEFAULT' : variant === 'half' ? 'SPLIT' : 'TARGETING_MATCH', what);
		const contents = key === 'strip' ? value : [value];
		if (key === 'strip') assert.equal(contents.length, then.winners.length, what);
		then.winners.forEach((rule, i) => (key === 'strip' || i === 0) && sameContent(explanation, rule, contents[i], what));
	}
}

// Each is as it was, and as any other process told it.
async function explainAll(config, all, messages) {
	const left = [...all, ...messages];
	const one = async (asked) => {
		const exactly = asked.path === '/v1/explain', { status, stdout, stderr } = await explained(config, asked.id, ...exactly ? [] : ['--order']);
		assert.deepEqual([status, stderr], [0, ''], `${asked.path ?? asked.rule} ${asked.id}`);
		asked.later ??= exactly ? `${asked.text}\n` : stdout;
		assert.equal(stdout, asked.later);
		const explanation = JSON.parse(stdout);
		if (asked.rule) assert.equal(explanation.messages.email.candidates.find((c) => c.rule === asked.rule).reason, asked.reason, asked.id);
		else if (!exactly) sameAsShown(asked, explanation);
	};
	await Promise.all([1, 2].map(async () => { while (left.length) await one(left.pop()); }));
}

// By the rules that made them nothing is another, and of all of them that can be said.
async function replayAll(config, all, messages) {
	const { status, stdout, stderr } = await runAside(['replay', '--json', '--config', config]), told = JSON.parse(stdout || '{}');
	const explanations = all.filter(({ path }) => path === '/v1/explain').length, decisions = all.length - explanations + new Set(messages.map(({ id }) => id)).size;
	assert.deepEqual([status, told.changed, told.explanations, told.notDetermined], [0, 0, explanations, { erased: 0, no_rules: 0, different: 0, no_products: 0, damaged: 0 }], stderr);
	assert.ok(told.decisions >= decisions, `${told.decisions} of ${decisions}`); // a page that stays open may have been told more
	const { judged, before, after, added, dropped, changed } = told.messages;
	assert.deepEqual([judged >= messages.length, before === after, added, dropped, changed], [true, true, 0, 0, 0], JSON.stringify(told.messages));
}

test('each of them is explained byte for byte by another process, and from another store', async (t) => {
	const { shop, ...make } = await open(t);
	const written = await writeTo(shop), asked = await askAll({ shop, ...make });
	const dropped = await logAll(shop, asked.length + new Set(written.map(({ id }) => id)).size);
	assert.equal(await shop.daemon.stop(), 0);
	const missing = await missingOf(shop.config, [written, asked], dropped);
	const [messages, all] = [written, asked].map((list) => list.filter(({ id }) => !missing.has(id)));
	const reasons = new Map(), kinds = new Map(), count = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);
	for (const { path } of all) count(kinds, path.replace(/flags\/.*/, 'flags/…'));
	for (const { told } of all) for (const { reason } of Object.values(told.decisions ?? told.slots ?? {})) count(reasons, reason);
	for (const reason of ['rule', 'default', 'holdout']) assert.ok(reasons.get(reason), reason);
	for (const path of ['/v1/decide', '/v1/explain', '/v1/stream', '/ofrep/v1/evaluate/flags', '/ofrep/v1/evaluate/flags/…']) assert.ok(kinds.get(path), path);
	await explainAll(shop.config, all, messages);
	await replayAll(shop.config, all, messages);
	// What was refused a place under the cap, and a list that was put in another order than it is written.
	const candidates = all.flatMap(({ later }) => Object.values(JSON.parse(later).slots).flatMap((slot) => slot.candidates));
	assert.ok(candidates.some((c) => c.reason === 'capped') && candidates.some((c) => c.order?.[0].items.some(({ place, written }) => place && place !== written)));

	const redis = await startRedis(t, { password: 'secret' });
	const copied = await runAside(['store', 'copy', redis.url('/1'), '--json', '--config', shop.config]);
	assert.equal(copied.status, 0, copied.stderr);
	moveTo(shop.config, redis.url('/1'));
	await explainAll(shop.config, all, messages);
	await replayAll(shop.config, all, messages);
	t.diagnostic(`${all.length} decisions and ${messages.length} messages: ${[...kinds].map(([kind, n]) => `${n} ${kind}`).join(', ')}; ${[...reasons].map(([reason, n]) => `${n} slots by ${reason}`).join(', ')}`);
});
