// A person stays in charge of what is kept: all of it is told, all of it goes, nothing of it is used; and a merge is undone. Seen
// failing with -DFW_BREAK_RESTRICTION, and erasure with -DFW_BREAK_TOMBSTONE and -DFW_BREAK_SCRUB, on a cluster with
// -DFW_BREAK_SCRUB_SENT (a replica keeps the file in which it was sent all). The commands' lines of the audit: where
// unmerge writes none. That what is looked for is found of whom it is kept: with needles that know nothing of how records pack texts.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ask, long, program, run } from './daemon.mjs';
import { foundIn } from './needles.mjs';
import { bearer, event, secret, servePeople, until, write } from './people.mjs';
import { bytesInStore, importAside, replicasBeginAnew, test, testEverywhere, testOnLmdb } from './stores.mjs';

const reader = join(dirname(program), '../tests/system/lmdb_reader');
const ago = (ms) => new Date(Date.now() - ms).toISOString();

const rules = `slot "cart" { channel = "web", default = { is = "none" } }
rule "full" { slot = "cart", when = { cart = { items = at_least(1) } }, show = { is = "full" } }
slot "plan" { channel = "web", default = { is = "none" } }
rule "pro" { slot = "plan", when = { traits = { plan = "про" } }, show = { is = "pro" } }
slot "capped" { channel = "web", default = { is = "none" } }
rule "once" { slot = "capped", show = { is = "once" } }
slot "personal" { channel = "web", default = { is = "none" } }
rule "agreed" { slot = "personal", when = { consent = "personalization" }, show = { is = "agreed" } }
cap "once-a-day" { applies = { rule = "once" }, limit = 1, per = "1d" }
`;

async function shopOf(t, more = {}) {
	const shop = await servePeople(t, { files: { 'shop/rights.lua': rules }, ...more, config: { workers: 2, ...more.config } });
	const at = (path, body, method, key = secret) => ask(`${shop.url}/v1/${path}`, body, { method, ...bearer(key) });
	const of = (id, path = '') => `visitors/${encodeURIComponent(id)}${path}`;
	return Object.assign(shop, {
		at,
		get: (id, path) => at(of(id, path), undefined, 'GET'),
		post: (id, path, body, key) => at(of(id, path), body, 'POST', key),
		erase: (id, key) => at(of(id), undefined, 'DELETE', key),
		profile: (...args) => run(['profile', ...args, '--config', shop.config]),
		track: async (fields) => assert.deepEqual((await shop.send('track', event(fields))).body.rejected, []),
		batch: async (batch) => assert.deepEqual((await shop.send('batch', { batch })).body.rejected, []),
		shows: async (who, context = {}) => Object.fromEntries(Object.entries((await shop.send('decide', { ...who, context })).body.decisions).map(([slot, d]) => [slot, d.content?.is ?? d.content?.n])),
		bytes: () => bytesInStore(shop),
		audits: () => shop.log().filter((line) => line.msg === 'audit'),
	});
}

// Everything that one can tell of somebody. Texts in letters that are not packed are found in the file as they are.
const person = (name) => ({
	anonymousId: `device-of-${name}-0001`, userId: `user-${name}`, email: `${name}@shop.example`, phone: `+49151${String([...name].reduce((n, c) => (n * 31 + c.charCodeAt(0)) % 1e8, 7)).padStart(8, '2')}`, loyalty: `card-number-of-${name}`,
	texts: [`имя-${name}`, `кафе-${name}`, `товар-${name}`, `раздел-${name}`, `марка-${name}`, `поиск-${name}`, `корзина-${name}`, `заказ-${name}`, `акция-${name}`, `версия-${name}`],
});

async function live(shop, name) {
	const p = person(name), who = { anonymousId: p.anonymousId, userId: p.userId };
	await shop.batch([
		{ type: 'page', ...who, name: `кафе-${name}`, timestamp: ago(5000), context: { page: { url: `https://shop.example/?utm_source=x&utm_medium=cpc&utm_campaign=акция-${name}` } } },
		{ type: 'identify', ...who, timestamp: ago(4000), traits: { email: p.email, phone: p.phone, ids: { loyalty: p.loyalty }, name: `имя-${name}`, plan: 'про' } },
		event({ ...who, timestamp: ago(3000), properties: { product_id: `товар-${name}`, category: `раздел-${name}`, brand: `марка-${name}` } }),
		event({ ...who, timestamp: ago(2500), event: 'Products Searched', properties: { query: `поиск-${name}` } }),
		event({ ...who, timestamp: ago(2000), event: 'Order Completed', properties: { order_id: `заказ-${name}`, revenue: 12.5 } }),
		event({ ...who, timestamp: ago(1500), event: 'Product Added', properties: { product_id: `корзина-${name}`, price: 7 } }),
		event({ ...who, timestamp: ago(1200), event: 'Email Opened', properties: { campaign: 'x' } }),
	]);
	// What is told by an id that leads nowhere yet is told of somebody else, who becomes one with the person a moment later.
	await until(async () => (await shop.get(p.userId)).body.ids?.includes(`anonymous:${p.anonymousId}`), { what: 'the userId leads to the person' });
	await shop.post(p.userId, '/consent', { grant: ['email', 'analytics', 'personalization'], source: 'checkout', text: `версия-${name}` });
	await until(async () => (await shop.get(`email:${p.email}`)).status === 200, { what: 'the address leads to the person' });
	await until(async () => (await shop.get(`external:loyalty:${p.loyalty}`)).status === 200, { what: 'the card leads to the person' });
	return { ...p, ids: [p.userId, `anonymous:${p.anonymousId}`, `email:${p.email}`, `phone:${p.phone}`, `external:loyalty:${p.loyalty}`] };
}

test('an export has everything that was told', async (t) => {
	const shop = await shopOf(t);
	const p = await live(shop, 'anna');
	// A guest who turns out to be the same; what nobody proved; a place under a cap.
	await shop.track({ anonymousId: 'second-device-of-anna', properties: { product_id: 'товар-второй' } });
	await shop.batch([{ type: 'identify', anonymousId: 'second-device-of-anna', userId: p.userId }]);
	await until(async () => (await shop.get(p.userId, '/merges')).body.merges.length >= 1, { what: 'they are one' });
	assert.equal((await shop.send('track', event({ anonymousId: undefined, userId: p.userId, event: 'Product Clicked', properties: { product_id: 'товар-чужой' } }), { key: write })).body.accepted, 1);
	assert.equal((await shop.send('identify', { anonymousId: p.anonymousId, traits: { nick: 'прозвище' } }, { key: write })).body.accepted, 1);
	assert.equal((await shop.shows({ anonymousId: p.anonymousId })).capped, 'once');

	const { status, body } = await shop.get(p.userId, '/export');
	assert.equal(status, 200);
	const text = JSON.stringify(body);
	for (const told of [...p.texts, p.anonymousId, p.email, p.phone, p.loyalty, 'second-device-of-anna', 'товар-второй', 'товар-чужой', 'прозвище', 'checkout'])
		assert.ok(text.includes(told), `${told} in ${text}`);
	assert.deepEqual([...body.ids].sort(), [...p.ids, 'anonymous:second-device-of-anna'].sort());
	assert.deepEqual(body.traitsKept.filter((x) => x.claimed).map((x) => [x.name, x.value]), [['nick', 'прозвище']]);
	assert.deepEqual(body.counts.filter((c) => c.product === 'товар-anna').map((c) => [c.category, c.brand, c.did.map((d) => `${d.what} ${d.times}`)]), [['раздел-anna', 'марка-anna', ['viewed 1']]]);
	assert.deepEqual(body.ordersKept.map((o) => [o.id, o.revenue, o.completed]), [['заказ-anna', 12.5, true]]);
	assert.deepEqual([body.cartChanges.length, body.visits.length >= 1, body.engagements.map((m) => m.channel), body.caps.map((c) => [c.limit, c.shown.length])], [1, true, ['email'], [[1, 1]]]);
	assert.deepEqual(body.consentLog.map((c) => c.what).sort(), ['analytics', 'email', 'personalization']);
	assert.deepEqual([body.merges.length >= 1, body.ids.includes(`anonymous:${body.merges[0].id}`), body.timeline.length > 5, body.unverified.length], [true, true, true, 1]);
	const kept = Date.parse(body.merges[0].until) - Date.parse(body.merges[0].at);
	assert.equal(kept, 90 * 86400_000);
	for (const id of body.ids) assert.equal((await shop.get(id, '/export')).status, 200, id);

	// The command tells the same, beside the daemon and without.
	const same = (told) => ({ ...JSON.parse(told), facts: 0, cart: 0, unverified: 0 });
	const first = shop.profile('export', p.userId);
	assert.equal(first.status, 0, first.stderr);
	assert.deepEqual(same(first.stdout), same(text));
	assert.match(shop.profile('merges', p.userId).stdout, /id +\S+\n +number +\d+\n +at +\S+\n +until /);
	await shop.daemon.stop();
	assert.deepEqual(same(shop.profile('export', p.ids[2]).stdout), { ...same(text), unverified: 0 });
	assert.match(shop.profile('show', p.userId).stdout, /^id +/);
});

const needles = (p) => [p.anonymousId, p.userId, p.email, p.phone, p.loyalty, ...p.texts];
const found = (bytes, ...people) => foundIn(Buffer.from(bytes, 'latin1'), people.flatMap(needles));
// Of whom it is kept each of them is found, in one way or another: so that what is looked for could have been found of others.
function assertKept(bytes, kept) {
	const there = found(bytes, kept);
	assert.deepEqual(needles(kept).filter((text) => !there.some((name) => name.includes(text))), [], 'what is looked for is found of whom it is kept');
}

testEverywhere('who is erased is gone, by every id, and does not come back', async (t) => {
	const shop = await shopOf(t);
	const p = await live(shop, 'berta'), other = await live(shop, 'clara');
	await shop.track({ anonymousId: 'second-device-of-berta' });
	await shop.batch([{ type: 'identify', anonymousId: 'second-device-of-berta', userId: p.userId }]);
	await until(async () => (await shop.get(p.userId, '/merges')).body.merges.length >= 1, { what: 'they are one' });
	// A letter that names the person, one that does not, and what nobody proved.
	const refused = await shop.send('batch', { batch: [event({ anonymousId: undefined, userId: p.userId, event: undefined, properties: { note: p.texts[0] } }), event({ userId: 'somebody-else', event: undefined })] });
	assert.deepEqual(refused.body.rejected.map((r) => r.code), ['no_event', 'no_event']);
	await replicasBeginAnew();
	const before = ago(0);
	const ids = [...p.ids, 'anonymous:second-device-of-berta'];
	const told = await shop.erase(ids[2]);
	assert.ok([200, 202].includes(told.status), JSON.stringify(told.body));
	const receipt = await until(async () => {
		const { status, body } = await shop.at(`erasures/${told.body.erasure}`, undefined, 'GET');
		assert.equal(status, 200);
		return body.state === 'complete' && body;
	}, { what: 'the erasure is complete' });
	assert.deepEqual([receipt.erasure, receipt.ids, receipt.deadLetters, receipt.scrubbed, Date.parse(receipt.begun) <= Date.parse(receipt.done)], [told.body.erasure, 6, 1, true, true]);
	for (const id of ids) for (const path of ['', '/export', '/merges']) assert.equal((await shop.get(id, path)).status, 404, id + path);
	assert.equal((await shop.erase(p.userId)).status, 404);
	assert.equal((await shop.get(other.userId)).status, 200);

	// What comes late, in every way, and what is new.
	const late = await shop.send('batch', { batch: [event({ anonymousId: p.anonymousId, timestamp: before }), event({ anonymousId: 'other-device-0000001', userId: p.userId, timestamp: before }), event({ anonymousId: other.anonymousId }),
		{ type: 'identify', anonymousId: 'second-device-of-berta', traits: { plan: 'про' }, timestamp: before }] });
	assert.deepEqual([late.body.accepted, late.body.rejected.map((r) => `${r.index} ${r.code}`)], [1, ['0 erased', '1 erased', '3 erased']]);
	assert.equal(run(['dead-letters', 'list', '--json', '--config', shop.config]).stdout.split('\n').filter(Boolean).length, 1, 'they leave no letter');
	const history = join(shop.folder, 'history.jsonl');
	writeFileSync(history, [event({ userId: p.userId, anonymousId: undefined, timestamp: ago(86400_000 * 30) }), event({ anonymousId: p.anonymousId, timestamp: ago(86400_000 * 20) })].map((e) => `${JSON.stringify(e)}\n`).join(''));
	const brought = await importAside(['--config', shop.config, history]);
	assert.deepEqual([brought.status, brought.refused, brought.applied], [1, 2, 0], brought.stderr);
	assert.match(brought.stderr, /history\.jsonl:1: it happened before the person was erased\n.*history\.jsonl:2: /);
	for (const id of ids) assert.equal((await shop.get(id)).status, 404, id);
	assert.equal(await shop.daemon.stop(), 0);
	const bytes = shop.bytes();
	assert.deepEqual(found(bytes, p), []);
	assertKept(bytes, other);
});

test('who was erased may come anew', async (t) => {
	const shop = await shopOf(t);
	const p = await live(shop, 'dora');
	const { body } = await shop.erase(p.userId);
	await shop.batch([event({ anonymousId: p.anonymousId, userId: p.userId, properties: { product_id: 'p-new' } })]);
	const visitor = await until(async () => { const { status, body: told } = await shop.get(p.userId); return status === 200 && told; }, { what: 'the userId leads to the person' });
	assert.deepEqual([visitor.traits, visitor.orders, visitor.facts.viewed.total, visitor.consent], [{}, [], 1, {}]);
	assert.equal((await shop.send('track', event({ anonymousId: p.anonymousId, timestamp: body.begun }))).body.rejected[0]?.code, 'erased');
	assert.equal((await shop.visitor(p.userId)).facts.viewed.total, 1);
});

// Whoever reads an older state keeps it from being overwritten: the receipt says so until then.
testOnLmdb('erased from the file, too, once nobody reads an older state', async (t) => {
	const shop = await shopOf(t);
	const many = long ? 100000 : 400, gone = 50;
	const names = Array.from({ length: gone }, (_, i) => `gone${String.fromCharCode(97 + i % 26)}${i}`);
	const people = [];
	for (const name of names) people.push(await live(shop, name));
	const kept = await live(shop, 'kept7000');
	for (let from = 0; from < many; from += 500)
		await shop.batch(Array.from({ length: Math.min(500, many - from) }, (_, i) => event({ anonymousId: `bystander-${from + i}`, properties: { product_id: `товар-${(from + i) % 97}` } })));
	const child = spawn(reader, [join(shop.folder, 'data')], { stdio: ['pipe', 'pipe', 'inherit'] });
	t.after(() => child.kill());
	await new Promise((done) => child.stdout.once('data', done));
	const receipts = (await Promise.all(people.map((p) => shop.erase(p.userId)))).map(({ status, body }) => {
		assert.equal(status, 202);
		assert.equal(body.state, 'pending');
		return body.erasure;
	});
	for (const p of people) assert.equal((await shop.get(p.userId)).status, 404);
	child.stdin.end();
	for (const id of receipts) await until(async () => (await shop.at(`erasures/${id}`, undefined, 'GET')).body.state === 'complete', { what: 'each is complete', seconds: long ? 300 : 60 });
	assert.equal(await shop.daemon.stop(), 0);
	const bytes = shop.bytes();
	assert.deepEqual(found(bytes, ...people), []);
	assertKept(bytes, kept);
	assert.ok(bytes.includes('bystander-7'));
	assert.equal(run(['store', 'check', '--config', shop.config]).status, 0);
});

testEverywhere('a merge is listed, previewed, made and undone', async (t) => {
	const shop = await shopOf(t);
	const view = (anonymousId, product_id, n) => Promise.all(Array.from({ length: n }, () => shop.track({ anonymousId, properties: { product_id } })));
	await view('first-of-a-merge-01', 'p-1', 3);
	await view('other-of-a-merge-01', 'p-2', 4);
	const one = 'anonymous:first-of-a-merge-01', other = 'anonymous:other-of-a-merge-01';
	const counts = async (id) => Object.fromEntries((await shop.get(id, '/export')).body.counts.map((c) => [c.product, c.did.reduce((n, d) => n + d.times, 0)]));
	assert.deepEqual(shop.profile('merge', one, other).status, 2, 'nobody can be asked');
	const preview = shop.profile('merge', one, other);
	assert.match(preview.stdout, /total +7/);
	assert.match(preview.stderr, /--yes/);
	assert.deepEqual([await counts(one), await counts(other)], [{ 'p-1': 3 }, { 'p-2': 4 }]);
	const made = shop.profile('merge', one, other, '--yes', '--json');
	assert.equal(made.status, 0, made.stderr);
	assert.deepEqual([JSON.parse(made.stdout).merged, JSON.parse(made.stdout).person.facts.viewed.total], [true, 7]);
	for (const id of [one, other]) assert.deepEqual(await counts(id), { 'p-1': 3, 'p-2': 4 });
	await view('first-of-a-merge-01', 'p-3', 2);
	const again = shop.profile('merge', one, other, '--yes');
	assert.deepEqual([again.status, /one person already/.test(again.stderr)], [1, true]);

	const { merges } = (await shop.get(one, '/merges')).body;
	assert.equal(merges.length, 1);
	assert.deepEqual((await shop.post(one, '/unmerge', { number: merges[0].number + 1 })).status, 404);
	const undone = await shop.post(one, '/unmerge', { number: merges[0].number });
	assert.deepEqual([undone.status, undone.body], [200, { merges: [] }]);
	await until(async () => !isDeepStrictEqual(await counts(one), await counts(other)), { what: 'they are two' });
	const own = { [one]: { 'p-1': 3 }, [other]: { 'p-2': 4 } };
	const [absorbed, stayed] = `anonymous:${merges[0].id}` === one ? [one, other] : [other, one];
	assert.equal(`anonymous:${merges[0].id}`, absorbed);
	assert.deepEqual([await counts(absorbed), await counts(stayed)], [own[absorbed], { ...own[stayed], 'p-3': 2 }], 'what came between stays with the one whom the other had become part of');
	assert.equal((await shop.post(one, '/unmerge')).status, 404);
	assert.equal(shop.profile('unmerge', one).status, 1);

	// Two who may not become one.
	await shop.batch([{ type: 'identify', userId: 'merge-user-1' }, { type: 'identify', userId: 'merge-user-2' }]);
	const refused = shop.profile('merge', 'merge-user-1', 'merge-user-2', '--yes', '--json');
	assert.deepEqual([refused.status, JSON.parse(refused.stdout)], [1, { merged: false, refused: 'two_users' }]);
	assert.match(refused.stderr, /both have a userId/);
});

test('who is restricted is kept, and used for nothing', async (t) => {
	const shop = await shopOf(t);
	const p = await live(shop, 'emil'), who = { anonymousId: p.anonymousId, userId: p.userId };
	const free = await shop.shows(who);
	assert.deepEqual([free.cart, free.plan, free.personal, free.capped], ['full', 'pro', 'agreed', 'once']);
	assert.deepEqual((await shop.post(p.userId, '/restriction', { restricted: true })).body, { restricted: true });
	const before = (await shop.get(p.userId, '/export')).body;
	assert.equal(before.restricted, true);
	assert.deepEqual([before.traits.name, before.facts.cart.items, before.orders.length], ['имя-emil', 1, 1], 'it can be looked at');

	for (let i = 0; i < 4; i++) {
		const shown = await shop.shows(who);
		assert.deepEqual([shown.cart, shown.plan, shown.personal, shown.capped, shown.seen], ['none', 'none', 'none', 'none', 0], 'no rule reads it, nothing under a cap is shown');
	}
	const batch = [event(who), event({ anonymousId: 'somebody-else-00001' }), event({ ...who, event: 'Product Added', properties: { product_id: 'p-9', price: 1 } }), { type: 'identify', ...who, traits: { plan: 'x' } }, { type: 'identify', anonymousId: 'new-device-of-emil-1', userId: p.userId }];
	const told = await shop.send('batch', { batch });
	assert.deepEqual([told.status, told.body.accepted, told.body.rejected.map((r) => `${r.index} ${r.code}`)], [200, 2, ['0 restricted', '2 restricted', '3 restricted']].map((x, i) => i === 1 ? told.body.accepted : i === 2 ? told.body.rejected.map((r) => `${r.index} ${r.code}`) : x));
	assert.ok(told.body.rejected.filter((r) => r.code === 'restricted').length >= 3, JSON.stringify(told.body));
	assert.equal(run(['dead-letters', 'list', '--config', shop.config]).stdout, '', 'they leave no letter');
	const after = (await shop.get(p.userId, '/export')).body;
	for (const part of ['traits', 'orders', 'cartChanges', 'counts', 'timeline', 'visits', 'traitsKept']) assert.deepEqual(after[part], before[part], part);
	// What the person says of consent counts all the same.
	assert.deepEqual((await shop.post(p.userId, '/consent', { withdraw: ['email'] })).body, { consent: ['analytics', 'personalization'] });
	assert.equal((await shop.send('track', event({ ...who, context: { consent: { categoryPreferences: { analytics: true, personalization: false } } } }))).body.rejected[0].code, 'restricted');
	assert.equal((await shop.get(p.userId)).body.consent.personalization.state, 'denied');

	assert.equal(shop.profile('restrict', p.userId, '--off').status, 0);
	const lifted = await shop.shows(who);
	assert.deepEqual([lifted.cart, lifted.plan, lifted.personal], ['full', 'pro', 'none']);
	assert.equal((await shop.get(p.userId)).body.restricted, undefined);
	await shop.track(who);
});

test('the command erases and restricts, beside a daemon and without', async (t) => {
	const shop = await shopOf(t);
	const p = await live(shop, 'franz'), q = await live(shop, 'gerda'), other = await live(shop, 'heidi');
	const asked = shop.profile('erase', p.userId);
	assert.deepEqual([asked.status, /--yes/.test(asked.stderr)], [2, true]);
	assert.equal((await shop.get(p.userId)).status, 200);
	const erased = shop.profile('erase', p.userId, '--yes', '--json');
	assert.equal(erased.status, 0, erased.stderr);
	const receipt = JSON.parse(erased.stdout);
	assert.deepEqual([receipt.state, receipt.ids, receipt.scrubbed], ['complete', 5, true]);
	assert.equal((await shop.get(p.userId)).status, 404);
	assert.equal((await shop.at(`erasures/${receipt.erasure}`, undefined, 'GET')).body.state, 'complete');
	assert.equal(shop.profile('erase', p.userId, '--yes').status, 1);
	await shop.daemon.stop();
	assert.deepEqual(JSON.parse(shop.profile('receipt', receipt.erasure, '--json').stdout), receipt);
	assert.equal(shop.profile('restrict', q.userId, '--json').stdout, '{"restricted":true}\n');
	assert.equal(JSON.parse(shop.profile('show', q.userId, '--json').stdout).restricted, true);
	const alone = shop.profile('erase', q.ids[3], '--yes');
	assert.equal(alone.status, 0, alone.stderr);
	assert.match(alone.stdout, /^receipt +\S+\nbegun +\S+\ncomplete +\S+Z\nids +5\ndead letters 0\noverwritten +yes\n$/);
	const bytes = shop.bytes();
	assert.deepEqual(found(bytes, p, q), []);
	assertKept(bytes, other);
});

test('each is written down, with no name', async (t) => {
	const shop = await shopOf(t);
	const p = await live(shop, 'hans');
	await shop.track({ anonymousId: 'second-device-of-hans' });
	await shop.batch([{ type: 'identify', anonymousId: 'second-device-of-hans', userId: p.userId }]);
	await until(async () => (await shop.get(p.userId)).body.ids.includes('anonymous:second-device-of-hans'), { what: 'they are one' });
	await shop.post(`anonymous:${p.anonymousId}`, '/consent', { deny: ['sale'] }, write);
	await shop.get(p.userId);
	await shop.get(p.userId, '/timeline');
	const { number } = (await shop.get(p.userId, '/merges')).body.merges.at(-1);
	await shop.get(p.userId, '/export');
	await shop.get('nobody-at-all');
	assert.equal((await shop.post(p.userId, '/unmerge', { number })).status, 200);
	assert.equal((await shop.post(p.userId, '/unmerge', { number })).status, 404, 'which is written down once');
	await shop.post(p.userId, '/restriction', { restricted: true });
	await shop.post(p.userId, '/restriction', { restricted: false });
	await shop.erase('nobody-at-all');
	const { erasure } = (await shop.erase(p.userId)).body;
	const all = await until(() => shop.audits().at(-1)?.action === 'erase' && shop.audits(), { what: 'the log tells of the erasure' });
	const own = all.slice(all.findLastIndex((line) => line.action === 'consent'));
	assert.deepEqual(own.map(({ action, by }) => `${action}, ${by}`), ['consent, write key wk-012…', ...['access', 'access', 'access', 'export', 'unmerge', 'restrict', 'unrestrict', 'erase'].map((action) => `${action}, secret key sk-012…`)]);
	assert.equal(own.at(-1).subject, erasure);
	assert.equal(new Set(own.slice(1, -1).map((line) => line.subject)).size, 1, 'the same id has the same hash');
	for (const { level, subject } of all) assert.deepEqual([level, /^[0-9a-f-]{32,37}$/.test(subject)], ['info', true]);
	for (const name of [p.userId, p.anonymousId, p.email, p.phone, p.loyalty, 'second-device-of-hans']) assert.ok(!shop.daemon.log().includes(name), name);
	assert.ok(!shop.daemon.log().includes(secret) && !shop.daemon.log().includes(write));
	const { stderr } = shop.profile('show', p.userId);
	assert.doesNotMatch(stderr, /audit/, 'nobody was shown');
	await shop.track({ anonymousId: 'somebody-of-the-audit' });
	assert.match(shop.profile('show', 'anonymous:somebody-of-the-audit').stderr, /"msg":"audit","action":"access","subject":"[0-9a-f]{32}","by":"command"/);
});

// A merge had a line about the first of the two only: whoever looked for what became of the other found nothing.
test('a merge is written down of both', async (t) => {
	const shop = await shopOf(t);
	const ids = ['anonymous:one-of-two-merged-1', 'anonymous:two-of-two-merged-2'];
	for (const id of ids) await shop.track({ anonymousId: id.slice('anonymous:'.length) });
	const audits = (...args) => shop.profile(...args).stderr.split('\n').filter((line) => line.includes('"msg":"audit"')).map((line) => JSON.parse(line));
	const subjects = ids.map((id) => audits('show', id)[0].subject);
	assert.notEqual(subjects[0], subjects[1]);
	assert.deepEqual(audits('merge', ...ids, '--yes').map(({ action, subject }) => [action, subject]), subjects.map((subject) => ['merge', subject]));
});

test('each command is written down', async (t) => {
	const shop = await shopOf(t);
	const ids = ['anonymous:one-of-the-commands-1', 'anonymous:two-of-the-commands-2'];
	for (const id of ids) await shop.track({ anonymousId: id.slice('anonymous:'.length) });
	// What it answered, and its lines: the action, about whom, by whom.
	const told = (...args) => {
		const { status, stdout, stderr } = shop.profile(...args);
		const lines = stderr.split('\n').filter((line) => line.includes('"msg":"audit"')).map((line) => JSON.parse(line));
		return { status, stdout, lines: lines.map(({ level, action, subject, by }) => [level, action, subject, by]) };
	};
	const [subject] = told('show', ids[0]).lines.map((line) => line[2]);
	assert.match(subject, /^[0-9a-f]{32}$/);
	assert.equal(told('merge', ...ids, '--yes').status, 0);
	assert.deepEqual(told('merges', ids[0]).lines, [['info', 'access', subject, 'command']]);
	const { number } = (await shop.get(ids[0], '/merges')).body.merges[0];
	assert.deepEqual(told('unmerge', ids[0], String(number + 1)), { status: 1, stdout: '', lines: [] });
	assert.deepEqual(told('unmerge', ids[0], String(number)), { status: 0, stdout: 'unmerged; what came since stays with the one whom the other had become part of\n', lines: [['info', 'unmerge', subject, 'command']] });
	for (const [off, action] of [[[], 'restrict'], [['--off'], 'unrestrict']]) assert.deepEqual(told('restrict', ...off, ids[0]).lines, [['info', action, subject, 'command']]);
	const erased = told('erase', ids[0], '--yes', '--json');
	assert.deepEqual([erased.status, erased.lines], [0, [['info', 'erase', JSON.parse(erased.stdout).erasure, 'command']]]);
	for (const args of [['show', ids[0]], ['restrict', ids[0]], ['erase', ids[0], '--yes'], ['unmerge', ids[0]]]) assert.deepEqual(told(...args).lines, [], 'of whom there is not nothing is done');
	assert.equal((await shop.get(ids[1])).status, 200, 'the other is kept');
});

// The command's timeline lacked what a page had claimed of a userId, and knew nobody of whom there was nothing else.
test('the command tells what came without proof, as the path does', async (t) => {
	const shop = await shopOf(t);
	await shop.send('track', event({ anonymousId: undefined, userId: 'only-claimed-1' }), { key: write });
	const told = (await shop.get('only-claimed-1', '/timeline')).body;
	assert.deepEqual([told.timeline, told.unverified.length], [[], 1]);
	assert.deepEqual(JSON.parse(shop.profile('show', '--timeline', '--json', 'only-claimed-1').stdout), told);
	assert.equal(shop.profile('show', 'only-claimed-1').status, 1);
});

test('what is wrong is said', async (t) => {
	const shop = await shopOf(t);
	const p = await live(shop, 'ida');
	const refused = async (answer, status, code, pattern) => {
		const { status: got, body } = await answer;
		assert.deepEqual([got, body.error?.code], [status, code], JSON.stringify(body));
		if (pattern) assert.match(`${body.error.message} ${body.error.hint ?? ''} ${body.error.path ?? ''}`, pattern);
	};
	for (const path of ['/export', '/merges', '', '/timeline']) await refused(ask(`${shop.url}/v1/visitors/${p.userId}${path}`, undefined, bearer(write)), 403, 'forbidden', /secret key/);
	await refused(shop.erase(p.userId, write), 403, 'forbidden', /secret key/);
	await refused(shop.erase(`anonymous:${p.anonymousId}`, write), 403, 'forbidden', /secret key/);
	for (const path of ['/unmerge', '/restriction']) await refused(shop.post(p.userId, path, { restricted: true }, write), 403, 'forbidden', /secret key/);
	await refused(shop.at('erasures/x', undefined, 'GET', write), 403, 'forbidden', /secret key/);
	await refused(shop.erase(p.userId, 'unknown-key'), 401, 'unauthorized');
	await refused(shop.at('erasures/x', undefined, 'GET'), 404, 'not_found');
	await refused(shop.at('erasures/3ff-0000000000000000-0000000000000000', undefined, 'GET'), 404, 'not_found');
	await refused(shop.at('erasures/', undefined, 'GET'), 404, 'not_found');
	await refused(shop.get(p.userId, '/exports'), 404, 'not_found', /export/);
	await refused(shop.post(p.userId, '/erase', {}), 404, 'not_found', /restriction/);
	await refused(shop.at(`visitors/${p.userId}/x`, undefined, 'DELETE'), 404, 'not_found');
	await refused(shop.erase('nobody-at-all'), 404, 'not_found', /userId/);
	await refused(shop.erase('phone:abc'), 400, 'bad_request');
	for (const body of [undefined, {}, { restricted: 'yes' }, { restricted: null }, []]) await refused(shop.post(p.userId, '/restriction', body), 400, 'bad_request', /true/);
	await refused(shop.post(p.userId, '/restriction', { restricted: true, why: 'x' }), 400, 'bad_request', /why/);
	await refused(shop.post(p.userId, '/restriction', '{'), 400, 'bad_json');
	await refused(shop.post('nobody-at-all', '/restriction', { restricted: true }), 404, 'not_found');
	for (const number of [0, -1, 1.5, '1', 1e300, []]) await refused(shop.post(p.userId, '/unmerge', { number }), 400, 'bad_request', /number/);
	await refused(shop.post(p.userId, '/unmerge', { nummer: 1 }), 400, 'bad_request', /nummer/);
	await refused(shop.post(p.userId, '/unmerge'), 404, 'not_found', /merges/);
	assert.equal((await shop.get(p.userId)).body.restricted, undefined);

	const wrong = [[], ['shwo', 'x'], ['show'], ['show', 'a', 'b'], ['export'], ['merge', 'a'], ['unmerge', 'a', 'x'], ['unmerge', 'a', '0'], ['unmerge', 'a', '-1'], ['unmerge', 'a', '1x'], ['erase', 'phone:x', '--yes'], ['erase'], ['show', 'email:'], ['show', 'x', '--off'], ['show', 'x', '--yes'], ['erase', 'x', '--timeline'], ['restrict', 'x', '--nothing']];
	for (const args of wrong) {
		const { status, stdout, stderr } = shop.profile(...args);
		assert.deepEqual([status, stdout], [2, ''], args.join(' '));
		assert.match(stderr, /Try: floorwalker profile --help/, args.join(' '));
	}
	assert.match(shop.profile('shwo', 'x').stderr, /did you mean "show"/);
	for (const args of [['show', 'nobody'], ['export', 'nobody'], ['merges', 'nobody'], ['erase', 'nobody', '--yes'], ['restrict', 'nobody'], ['unmerge', 'nobody'], ['merge', 'nobody', p.userId, '--yes'], ['merge', p.userId, 'nobody', '--yes'], ['receipt', 'x'], ['receipt', '000-0000000000000000-0000000000000000']]) {
		const { status, stdout, stderr } = shop.profile(...args);
		assert.deepEqual([status, stdout], [1, ''], args.join(' '));
		assert.match(stderr, /^floorwalker: (nobody is known|there is no erasure)/, args.join(' '));
	}
	const help = run(['profile', '--help']);
	assert.equal(help.status, 0);
	for (const word of ['show', 'export', 'merges', 'merge', 'unmerge', 'restrict', 'erase', 'receipt', '--yes', '--json', '--off', '--timeline', '--config']) assert.ok(help.stdout.includes(word), word);
});
