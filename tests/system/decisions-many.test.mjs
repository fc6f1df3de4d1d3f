// Ten thousand decisions of every kind (a hundred, in short): each is explained byte for byte by another process, once no daemon is there,
// and again from another store that the people were copied to.

import './release.mjs';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test from 'node:test';
import { random } from './acknowledged.mjs';
import { environment, long, releaseProgram } from './daemon.mjs';
import { context, rules } from './decisions.mjs';
import { event, secret, servePeople, until } from './people.mjs';
import { startRedis } from './redis.mjs';
import { askFresh, metrics, runAside } from './server.mjs';
import { moveTo } from './stores.mjs';

const many = long ? 10000 : 100, people = long ? 400 : 40;
const sale = `slot "sale" { channel = "web" }
segment "fans" { when = { viewed = { category = "boots", at_least = 3 } } }
rule "cheap" { slot = "sale", priority = 2, when = { price = { product = "B-7", at_most = 50 } }, show = { products = { "B-7", "L-1" } } }
rule "fans" { slot = "sale", priority = 1, when = { segment = "fans" }, show = function(v) return { visits = v.visits, from = v.country } end }
rule "season" { slot = "sale", starts = "2026-01-01", show = { product = "L-1" } }
`;
const agents = [context.userAgent, 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36'];
const crawler = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'; // what is asked for an id by one is not logged
const device = (i) => `device-of-somebody-${String(i).padStart(6, '0')}`;

async function open(t) {
	const item = (id, price) => `${JSON.stringify({ id, availability: 'in_stock', price })}\n`;
	const shop = await servePeople(t, { files: { 'shop/decisions.lua': rules('one'), 'shop/sale.lua': sale, 'feed.jsonl': item('B-7', 40) + item('L-1', 20) },
		config: { workers: 2, holdout: 10, catalog: { file: 'feed.jsonl' }, decisions: { log: 'decisions', sample: 1 }, limits: { drain_ms: 20000 } } });
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

// A request of some kind: [path, body].
function question({ pick, below }) {
	const one = (list) => list[below(list.length)], maybe = (of) => (pick() < 0.5 ? of : {});
	const k = below(people), who = one([{ anonymousId: device(k) }, { anonymousId: device(k) }, { userId: `user-${k - k % 3}` }, { anonymousId: `nobody-has-seen-${below(1e6)}` }, {}]);
	const about = { ...context, userAgent: one(Object.keys(who).length ? agents : [...agents, crawler]), location: one([{ country: 'CA' }, { country: 'DE', region: 'BE' }, undefined]), ...maybe({ traits: { plan: one(['про', 'basic', 7]), size: [1, 2.5, 'x', true] } }),
		...maybe({ consent: { categoryPreferences: { personalization: pick() < 0.5 } } }) };
	const slots = one([undefined, ['hero'], ['strip', 'sale'], ['hero', 'strip', 'hidden', 'sale']]), body = { context: about, ...who, ...slots && { slots } };
	return one([['decide', body], ['explain', body], ['explain', { ...body, channels: ['email'] }], ['explain', { ...body, changes: true }]]);
}

// All are asked, several at once: [{ path, id, text, told }].
async function askAll(shop, make) {
	const all = [], asking = Array.from({ length: 8 }, async () => {
		while (all.length < many) {
			const [path, body] = question(make), at = all.push(undefined) - 1;
			const { status, text } = await askFresh(`${shop.url}/v1/${path}`, body, { authorization: `Bearer ${secret}` });
			assert.equal(status, 200, text);
			all[at] = { path, id: JSON.parse(text).decisionId, text, told: JSON.parse(text) };
		}
	});
	await Promise.all(asking);
	return all;
}

function explained(config, id) {
	const child = spawn(releaseProgram, ['explain', '--decision', id, '--json', '--config', config], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
	const answer = { stdout: '', stderr: '' };
	for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => { answer[name] += text; });
	return new Promise((done) => child.on('close', (status) => done({ status, ...answer })));
}

// Each is as it was.
async function explainAll(config, all) {
	const left = [...all];
	const one = async ({ path, id, text, told }) => {
		const { status, stdout, stderr } = await explained(config, id);
		assert.equal(status, 0, stderr);
		if (path === 'explain') {
			assert.equal(stdout, `${text}\n`);
			return;
		}
		const { slots } = JSON.parse(stdout);
		for (const [slot, { reason, winners }] of Object.entries(told.decisions)) assert.deepEqual([slots[slot].reason, slots[slot].winners], [reason, winners.map((w) => w.rule)], `${slot} of ${id}`);
	};
	await Promise.all([1, 2].map(async () => { while (left.length) await one(left.pop()); }));
}

test('each of them is explained byte for byte by another process, and from another store', async (t) => {
	const { shop, ...make } = await open(t);
	const all = await askAll(shop, make);
	const dropped = async () => Object.entries(await metrics(shop)).filter(([name]) => name.startsWith('floorwalker_decisions_log_dropped_total')).reduce((sum, [, n]) => sum + n, 0);
	await until(async () => (await metrics(shop)).floorwalker_decisions_logged_total + await dropped() >= all.length, { what: 'all are logged' });
	assert.equal(await dropped(), 0);
	assert.equal(await shop.daemon.stop(), 0);
	const reasons = new Map();
	for (const { told } of all) for (const { reason } of Object.values(told.decisions ?? told.slots)) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
	for (const reason of ['rule', 'default', 'holdout']) assert.ok(reasons.get(reason), reason);
	await explainAll(shop.config, all);

	const redis = await startRedis(t, { password: 'secret' });
	const copied = await runAside(['store', 'copy', redis.url('/1'), '--json', '--config', shop.config]);
	assert.equal(copied.status, 0, copied.stderr);
	moveTo(shop.config, redis.url('/1'));
	await explainAll(shop.config, all);
	t.diagnostic(`${all.length} decisions, ${[...reasons].map(([reason, n]) => `${n} slots by ${reason}`).join(', ')}`);
});
