// Decisions of messages in the decision log: each is there, whoever the sample takes; it is explained later, in another process, and made
// again by other rules; and whoever is erased cannot be read there any more.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, long } from './daemon.mjs';
import { fakeChannel, handedTo, withMessages } from './messages.mjs';
import { foundIn } from './needles.mjs';
import { bearer, secret, servePeople, until } from './people.mjs';
import { askFresh, metrics, runAside } from './server.mjs';
import { test, testEverywhere } from './stores.mjs';

const rules = `
rule "receipt" { channel = "email", on = "Order Completed", class = "transactional", send = { text = "thank you", template = "receipt" } }
rule "offer" { channel = "email", on = { "Order Completed", "Again" }, priority = 5, when = { country = { "CA", "NO" } }, send = function(v) return { text = "for " .. v:get("event.order_id", "you") } end }
rule "other-offer" { channel = "email", on = "Order Completed", priority = 4, send = { text = "or this" } }
rule "pro-news" { channel = "email", on = "Asked", when = { traits = { plan = "pro" } }, class = "service", send = { text = "news" } }
cap "one-offer" { applies = { rule = "offer" }, limit = 1, per = "1d", or_else = "defer" }
`;
const files = { 'shop/messages.lua': rules, 'shop/templates/receipt.txt': 'Order {{event.order_id}}: {{content.text}}\n' };

async function open(t, { sample = 0, ...more } = {}) {
	const shop = withMessages(await servePeople(t, { files, config: { workers: 2, decisions: { log: 'decisions', sample }, plugin_path: fakeChannel(t), plugins: { web: {}, email: { file: 'sent.jsonl' } } }, ...more }));
	const bytes = () => Buffer.concat(readdirSync(join(shop.folder, 'decisions')).filter((name) => name.endsWith('.decisions')).map((name) => readFileSync(join(shop.folder, 'decisions', name))));
	return Object.assign(shop, {
		bytes,
		sent: () => handedTo(join(shop.folder, 'sent.jsonl')),
		count: async (name) => (await metrics(shop))[`floorwalker_decisions_${name}`],
		written: (n) => until(async () => await shop.count('logged_total') >= n, { what: `${n} decisions are written` }),
		explained: (id, ...args) => runAside(['explain', '--decision', id, '--config', shop.config, ...args]),
		order: (user, id, more = {}) => shop.happen(user, 'Order Completed', { order_id: id, total: 5 }, { context: { location: { country: 'CA' }, ...more } }),
		// What became of somebody's messages, by rule, the newest: { what, by, decisionId }.
		outcomes: async (user) => Object.fromEntries((await shop.visitor(user)).messages.reverse().map((m) => [m.rule, m])),
		replay: async (...args) => { const { status, stdout, stderr } = await runAside(['replay', '--config', shop.config, '--json', ...args]); return { status, stderr, ...(stdout ? JSON.parse(stdout) : {}) }; },
	});
}

testEverywhere('each decision of messages is in the log, and explained later and elsewhere', async (t) => {
	const shop = await open(t);
	await shop.meet('u-ann', 'ann@shop.example', { traits: { plan: 'pro' } });
	await shop.meet('u-no', 'no@shop.example', { grant: [] });
	await shop.meet('u-supp', 'supp@shop.example');
	assert.equal((await ask(`${shop.url}/email/suppress?to=supp@shop.example`, { reason: 'manual' }, bearer(secret))).status, 200);
	await shop.send('identify', { userId: 'u-nowhere', traits: { plan: 'basic' } });
	await shop.order('u-ann', 'order-Ж-1');
	await shop.order('u-no', 'B-1');
	await shop.order('u-supp', 'C-1');
	await shop.happen('u-nowhere', 'Asked');
	await shop.happen('u-no', 'Asked');
	const all = { 'u-ann': 3, 'u-no': 4, 'u-supp': 3, 'u-nowhere': 1 };
	await until(async () => (await Promise.all(Object.entries(all).map(async ([user, n]) => Object.keys(await shop.outcomes(user)).length === n))).every(Boolean), { what: 'all are decided' });
	await until(() => shop.list().length === 0, { what: 'none waits' });
	const ann = await shop.outcomes('u-ann');
	assert.deepEqual([ann.receipt.what, ann.offer.what, ann['other-offer'].what, ann['other-offer'].by], ['sent', 'sent', 'beaten', 'offer']);
	assert.equal(ann.offer.decisionId, ann['other-offer'].decisionId);
	// The next offer is put off, which is a decision, too.
	await shop.order('u-ann', 'A-2');
	await until(() => shop.list('--state', 'waits').length === 1, { what: 'the offer is put off' });
	const [waits] = shop.list();
	assert.deepEqual([waits.rule, waits.reason], ['offer', 'one-offer']);
	const shown = JSON.parse(shop.messages('show', waits.id).stdout);
	assert.deepEqual([shown.decisionId, shown.history.map((h) => [h.what, h.by, h.decisionId])], [waits.decisionId, [['deferred', 'one-offer', waits.decisionId]]]);
	const people = Object.fromEntries(await Promise.all(Object.keys(all).map(async (user) => [user, await shop.outcomes(user)])));
	const ids = new Set([...Object.values(people).flatMap((rules) => Object.values(rules).map((m) => m.decisionId)), ann.offer.decisionId]);
	assert.ok(!ids.has(undefined));
	await shop.written(ids.size);
	// A visitor is not in a sample of none.
	await askFresh(`${shop.url}/v1/decide`, { userId: 'u-ann', slots: ['seen'] }, { authorization: `Bearer ${secret}` });

	const explain = async (id) => { const { status, stdout, stderr } = await shop.explained(id, '--json'); assert.equal(status, 0, stderr); return JSON.parse(stdout); };
	const why = async (outcome) => (await explain(outcome.decisionId)).messages.email.candidates.find((c) => c.rule === outcome.rule);
	const first = await explain(ann.offer.decisionId);
	assert.deepEqual([first.decisionId, first.slots, first.messages.email.reason], [ann.offer.decisionId, {}, 'rule']);
	assert.ok(first.messages.email.winners.includes('offer') && first.facts.country === 'CA' && first.facts.event.order_id === 'order-Ж-1' && first.facts.traits.plan === 'pro', JSON.stringify(first.facts));
	const candidate = ({ rule, priority, reason, by, on, facts }) => ({ rule, priority, reason, by, on, facts });
	assert.deepEqual(first.messages.email.candidates.filter((c) => c.rule !== 'receipt').map(candidate),
		[{ rule: 'offer', priority: 5, reason: 'won', by: undefined, on: undefined, facts: undefined }, { rule: 'other-offer', priority: 4, reason: 'beaten', by: 'offer', on: 'priority', facts: undefined }]);
	const put = await why({ ...waits });
	assert.deepEqual([put.reason, put.cap], ['deferred', 'one-offer']);
	assert.ok(Math.abs(Date.parse(put.until) - Date.now() - 86400e3) < 600e3, put.until);
	const veto = await why(people['u-no'].offer);
	assert.deepEqual([veto.reason, veto.guard, veto.because], ['vetoed', 'channel consent', 'marketing goes only to who agreed to it']);
	const unknown = await why(people['u-no']['pro-news']);
	assert.deepEqual([unknown.reason, unknown.fact], ['unknown', 'traits.plan']);
	assert.equal((await why(people['u-supp'].receipt)).reason, 'suppressed');
	assert.equal((await why(people['u-nowhere']['pro-news'])).reason, 'no_address');
	const table = await shop.explained(ann.offer.decisionId, '--changes');
	assert.match(table.stdout, new RegExp(`^messages ${ann.offer.decisionId}, made \\S+ by rule set \\S+\n\nemail: rule\n[^]*\n  offer +5 +1 +won\n  other-offer +4 +0 +beaten +by offer on priority\n`));
	assert.match(table.stderr, /what would have to change is not told of messages that were due/);

	// Nothing of a person can be read in the files, and other rules change nothing of what is said, nor does another daemon or none.
	assert.deepEqual(foundIn(shop.bytes(), ['u-ann', 'ann@shop.example', 'order-Ж-1', 'supp@shop.example', 'other-offer', 'one-offer']), []);
	const texts = await Promise.all([...ids].filter((_, i) => long || i % 3 === 0).map(async (id) => [id, (await shop.explained(id, '--json')).stdout]));
	shop.write({ 'shop/messages.lua': rules.replace('rule "offer"', 'rule "offer-two"').replace('rule = "offer"', 'rule = "offer-two"') });
	assert.equal(shop.reload().status, 0);
	assert.equal(await shop.daemon.stop(), 0);
	for (const [id, text] of texts) assert.equal((await shop.explained(id, '--json')).stdout, text);
});

testEverywhere('whoever is erased cannot be read in what was decided of messages', async (t) => {
	const shop = await open(t);
	for (const user of ['u-gone', 'u-stays']) {
		await shop.meet(user, `${user}@shop.example`);
		await shop.order(user, `of-${user}`);
	}
	const decision = (user) => until(async () => (await shop.outcomes(user)).offer?.decisionId, { what: `${user}'s offer is decided` });
	const gone = await decision('u-gone'), stays = await decision('u-stays');
	await until(async () => (await shop.explained(gone)).status === 0 && (await shop.explained(stays)).status === 0, { what: 'both are in the log' });
	const { body: { erasure } } = await ask(`${shop.url}/v1/visitors/u-gone`, undefined, { method: 'DELETE', ...bearer(secret) });
	await until(async () => (await ask(`${shop.url}/v1/erasures/${erasure}`, undefined, bearer(secret))).body.state === 'complete', { what: 'the erasure is complete' });
	const { status, stdout, stderr } = await shop.explained(gone, '--json');
	assert.deepEqual([status, stdout], [1, '']);
	assert.match(stderr, /the person whom it was made for was erased since/);
	assert.equal((await shop.explained(stays)).status, 0);
	const same = await shop.replay();
	assert.ok(same.notDetermined.erased >= 1 && same.messages.judged >= 3 && same.changed === 0, JSON.stringify(same));
});

test('other rules are tried on what was decided of messages', async (t) => {
	const shop = await open(t, { sample: 1 });
	for (const [user, country] of [['u-1', 'CA'], ['u-2', 'NO'], ['u-3', 'DE']]) {
		await shop.meet(user, `${user}@shop.example`);
		await shop.happen(user, 'Order Completed', { order_id: `of-${user}`, total: 5 }, { context: { location: { country } } });
	}
	const decided = (user) => until(async () => { const o = await shop.outcomes(user); return o.receipt && o.offer && o['other-offer'] && o; }, { what: `${user}'s messages are decided` });
	const outcomes = await Promise.all(['u-1', 'u-2', 'u-3'].map(decided));
	await until(() => shop.list().length === 0, { what: 'none waits' });
	const ids = new Set(outcomes.flatMap((o) => Object.values(o).map((m) => m.decisionId)));
	await shop.written(ids.size);
	const counts = (x) => [x.judged, x.before, x.after, x.added, x.dropped, x.changed];
	const same = await shop.replay();
	assert.deepEqual([same.status, same.decisions, same.changed, counts(same.messages)], [0, ids.size, 0, [9, 6, 6, 0, 0, 0]], same.stderr);
	// What became of each rule is reported with those of slots.
	const report = JSON.parse((await runAside(['report', 'rules', '--config', shop.config, '--json'])).stdout), of = (id) => report.rules.find((r) => r.rule === id);
	assert.deepEqual(['receipt', 'offer', 'other-offer', 'pro-news'].map((id) => [of(id).asked, of(id).matched, of(id).won]), [[3, 3, 3], [3, 2, 2], [3, 3, 1], [0, 0, 0]]);
	assert.deepEqual([of('other-offer').beatenBy, of('offer').reasons], [[{ rule: 'offer', times: 2 }], { won: 2, not_matched: 1 }]);
	// Another template, an offer for Canada alone, which lets the weaker one go; and the weaker one has no rule any more in the next.
	const next = rules.replace('{ "CA", "NO" }', '"CA"');
	shop.write({ 'next/home.lua': readFileSync(join(shop.folder, 'shop/home.lua'), 'utf8'), 'next/messages.lua': next, 'next/templates/receipt.txt': 'Your order {{event.order_id}}\n',
		'less/home.lua': readFileSync(join(shop.folder, 'shop/home.lua'), 'utf8'), 'less/messages.lua': rules.replace(/rule "other-offer".*\n/, ''), 'less/templates/receipt.txt': files['shop/templates/receipt.txt'] });
	for (const jobs of ['1', '2']) {
		const told = await shop.replay('--rules', join(shop.folder, 'next'), '--jobs', jobs);
		const rule = (id) => counts(told.messages.rules.find((r) => r.rule === id));
		assert.deepEqual([told.status, rule('receipt'), rule('offer'), rule('other-offer')], [0, [3, 3, 3, 0, 0, 3], [3, 2, 1, 0, 1, 0], [3, 1, 2, 1, 0, 0]], told.stderr);
		assert.deepEqual(told.messages.channels.map((c) => [c.channel, ...counts(c)]), [['email', 9, 6, 6, 1, 1, 3]]);
		assert.deepEqual([told.decisions, told.changed > 0, told.notDetermined.different], [ids.size, true, 0]);
		assert.ok(told.samples.some((s) => /^email offer: won → not_matched$/m.test(s.text)) && told.samples.some((s) => /^email receipt: won → won, and says something else$/m.test(s.text)), JSON.stringify(told.samples));
	}
	const less = await runAside(['replay', '--config', shop.config, '--rules', join(shop.folder, 'less'), '--fail-above', '10']);
	assert.equal(less.status, 1, 'it is counted as decisions of slots are');
	assert.match(less.stdout, /\nchannel +messages +went +go now +added +dropped +changed\nemail +9 +6 +5 +0 +1 +0\n/);
	assert.match(less.stdout, /\nrule +messages +went +go now +added +dropped +changed {2}channel\nother-offer +3 +1 +0 +0 +1 +0 {2}email\n/);
	assert.match(less.stdout, /\nemail other-offer: won → disabled by the rule set has this rule no more\n/);
	assert.match(less.stdout, /Of messages it says what would have become of those that were due, not which others would have come\./);
});
