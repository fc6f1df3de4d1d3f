// One-clicks and bounces while whoever hears of them is killed: each is told again until it is answered, as mail providers do, and counts
// once: consent, its log, the timeline and the list agree, of people who logged in since, too. What happens at every single commit is
// tests/unit/test_message_suppress.c's.
//
// Seen failing on a build with -Dc_args=-DFW_BREAK_DEDUPE.

import assert from 'node:assert/strict';
import test from 'node:test';
import { random, seed, shuffled } from './acknowledged.mjs';
import { ask, long, run, temporaryFolder, until } from './daemon.mjs';
import { openShop, strikes } from './faults.mjs';
import { ownPlugins, quick } from './server.mjs';
import { readMail, startSmtp } from './smtp.mjs';
import { kind as store, strikesHere } from './stores.mjs';

const PEOPLE = long ? 400 : 32, KILLS = long ? 15 : 5, LANES = 8;
const files = {
	'shop/messages.lua': `
rule "thanks" { channel = "email", on = "Order Completed", send = { subject = "Thank you", text = "and come again" } }
rule "receipt" { channel = "email", on = "Order Refunded", class = "transactional", send = { subject = "Done", text = "the money is on its way" } }
`,
};
const address = (i) => `person-${i}@mail.example`, bounces = (i) => i % 3 === 0, logsIn = (i) => i % 2 === 0;

// As mail servers report it.
const report = (returnPath, to) => [
	'From: MAILER-DAEMON@mx.mail.example', `To: <${returnPath}>`, 'Subject: Undelivered', 'MIME-Version: 1.0',
	'Content-Type: multipart/report; report-type=delivery-status; boundary="part"', '',
	'--part', 'Content-Type: text/plain', '', 'nobody there', '--part', 'Content-Type: message/delivery-status', '',
	'Reporting-MTA: dns; mx.mail.example', '', `Final-Recipient: rfc822; ${to}`, 'Action: failed', 'Status: 5.1.1', '', '--part--', ''].join('\r\n');

test(`${PEOPLE} people unsubscribe through ${KILLS} kills`, async (t) => {
	const smtp = await startSmtp(t), rnd = random(seed);
	const shop = await openShop(t, {
		folder: temporaryFolder(t, files),
		config: { plugin_path: ownPlugins, limits: quick, plugins: { web: {}, email: { smtp: `smtp://127.0.0.1:${smtp.port}`, from: 'Shop <hello@shop.example>', address: 'Shop Ltd, 1 Road', bounce_domain: 'bounce.shop.example' } } },
	});
	const post = async (path, body) => until(() => ask(`${shop.url()}${path}`, body, { method: 'POST' }).then((a) => (a.status === 200 ? a : undefined), () => undefined), { what: `${path} is answered`, seconds: 60 });
	const batch = (events) => post('/v1/batch', { batch: events });
	const visitor = async (i) => (await until(() => ask(`${shop.url()}/v1/visitors/u-${i}`).then((a) => (a.status === 200 ? a : undefined), () => undefined), { what: `u-${i} is there`, seconds: 30 })).body;
	const everybody = [...Array(PEOPLE).keys()];

	// Everybody is written to; every second as a device that logs in later.
	const who = (i) => (logsIn(i) ? { anonymousId: `device-of-${i}` } : { userId: `u-${i}` });
	await batch(everybody.map((i) => ({ type: 'identify', messageId: `i-${i}`, ...who(i), traits: { email: address(i) } })));
	await Promise.all(everybody.map((i) => post(`/v1/visitors/${encodeURIComponent(logsIn(i) ? `anonymous:device-of-${i}` : `u-${i}`)}/consent`, { grant: ['email'] })));
	await batch(everybody.map((i) => ({ type: 'track', event: 'Order Completed', messageId: `o-${i}`, ...who(i), properties: { order_id: `A-${i}` } })));
	const mails = await smtp.waitFor(PEOPLE, { seconds: 60 });
	await batch(everybody.filter(logsIn).map((i) => ({ type: 'track', event: 'Product Viewed', messageId: `v-${i}`, anonymousId: `laptop-of-${i}`, userId: `u-${i}`, properties: { product_id: 'p-1' } })));

	// What is told: each twice at once, until it is answered.
	const told = [];
	for (const mail of mails) {
		const i = Number(mail.to[0].match(/person-(\d+)@/)[1]);
		const link = new URL((await readMail(mail.raw)).headers.get('list').unsubscribe.url).pathname;
		const click = { path: link, body: 'List-Unsubscribe=One-Click', type: 'application/x-www-form-urlencoded' };
		const bounce = { path: '/email/bounces', body: report(mail.from, address(i)), type: 'message/rfc822' };
		told.push(...[click, click, ...(bounces(i) ? [bounce, bounce] : [])].map((what) => ({ ...what, i })));
	}
	const again = {};
	let answered = 0;
	async function tell({ path, body, type }) {
		for (;;) {
			const status = await fetch(`${shop.url()}${path}`, { method: 'POST', body, headers: { 'content-type': type }, signal: AbortSignal.timeout(20000) }).then(async (a) => { await a.arrayBuffer(); return a.status; }, () => 0);
			if (status === 200) return void answered++;
			assert.ok([0, 429, 503].includes(status), `${path} is answered ${status}`);
			again[status] = (again[status] ?? 0) + 1;
			await new Promise((done) => setTimeout(done, 20));
		}
	}
	async function tellAll(list, strike) {
		const left = [...list], from = answered;
		const lanes = Promise.all(Array.from({ length: LANES }, async () => { for (let what; (what = left.pop());) await tell(what); }));
		for (let k = 0; strike && k < KILLS; k++) {
			await until(() => answered - from >= (k * list.length) / (KILLS + 1), { what: 'some are answered', seconds: 60 });
			await strike(k);
		}
		await lanes;
	}
	const kinds = strikesHere(['worker', 'keeper', 'worker', 'all', 'answering']), log = [];
	const logins = everybody.filter(logsIn);
	await tellAll(shuffled(told, rnd), async (k) => {
		// Some log in meanwhile, and so become one with who they are elsewhere.
		const now = logins.splice(0, Math.ceil(PEOPLE / 2 / KILLS));
		const login = batch(now.map((i) => ({ type: 'identify', messageId: `l-${i}`, anonymousId: `device-of-${i}`, userId: `u-${i}` })));
		log.push(kinds[k % kinds.length]);
		await strikes[kinds[k % kinds.length]](shop, rnd);
		await login;
	});
	t.diagnostic(`told ${told.length} times, again after ${JSON.stringify(again)}, through ${log.join(', ')}`);
	assert.equal(logins.length, 0);

	async function assertAgreed(what) {
		for (const i of everybody) {
			const found = async () => {
				const v = await visitor(i), { timeline } = (await ask(`${shop.url()}/v1/visitors/u-${i}/timeline`)).body;
				const count = (name) => timeline.filter((e) => e.name === name).length;
				return { state: v.consent.email?.state, said: v.consentLog.filter((e) => e.what === 'email').map((e) => e.state), clicks: count('Unsubscribed'), bounces: count('Email Bounced') };
			};
			const wanted = { state: 'withdrawn', said: ['withdrawn', 'granted'], clicks: 1, bounces: bounces(i) ? 1 : 0 };
			let last;
			// What a worker said to other buckets and died before delivering is delivered by whoever leads, once its lease is over.
			await until(async () => JSON.stringify(last = await found()) === JSON.stringify(wanted), { seconds: 60 })
				.catch(() => assert.deepEqual(last, wanted, `u-${i}, ${what} (seed ${seed})`));
		}
	}
	await assertAgreed('told until it was answered');
	await tellAll(shuffled(told, rnd));
	await assertAgreed('and once more');

	// What needs no consent goes to nobody who is on the list.
	await batch(everybody.map((i) => ({ type: 'track', event: 'Order Refunded', messageId: `r-${i}`, userId: `u-${i}`, properties: { order_id: `A-${i}` } })));
	await until(async () => (await Promise.all(everybody.map(visitor))).every((v) => v.messages.some((m) => m.rule === 'receipt')), { what: 'every receipt is judged', seconds: 60 });
	for (const i of everybody) {
		const { messages } = await visitor(i);
		const became = messages.filter((m) => m.rule === 'receipt').map((m) => m.what);
		assert.deepEqual(became, [bounces(i) ? 'suppressed' : 'sent'], `u-${i}`);
	}
	if (store === 'lmdb') {
		const check = run(['store', 'check', '--config', shop.config]);
		assert.equal(check.status, 0, check.stdout + check.stderr);
	}
});
