// What a public key may claim: whoever has it tries to be somebody else, to read what was told of him, to write to him, to consent for
// him, to fill the store with people, and to get past a guard. Where letters go was seen failing with -DFW_BREAK_CLAIMS_ADDRESS.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { long, tree } from './daemon.mjs';
import { fakeChannel, handedTo } from './messages.mjs';
import { bearer, event, secret, servePeople, until, userHash, write } from './people.mjs';
import { metrics, quick } from './server.mjs';
import { bytesInStore, test, testOnLmdb } from './stores.mjs';

const rules = `slot "plan" { channel = "web", default = { is = "none" } }
rule "pro" { slot = "plan", priority = 2, when = { traits = { plan = "pro" } }, show = { is = "pro" } }
rule "untold" { slot = "plan", priority = 1, when = { traits = { plan = unknown() } }, show = { is = "untold" } }
slot "adult" { channel = "web", default = { is = "none" } }
rule "wine" { slot = "adult", tags = { "adult" }, when = { traits = { plan = known() } }, show = { is = "wine" } }
guard "grown-up" { applies = { tag = "adult" }, require = { traits = { age = at_least(18) } }, because = "law" }
slot "place" { channel = "web", default = { is = "none" } }
rule "fireworks" { slot = "place", tags = { "fireworks" }, show = { is = "fireworks" } }
guard "not-in-britain" { applies = { tag = "fireworks" }, forbid = { country = "GB" }, because = "law" }
slot "few" { channel = "web", default = { is = "none" } }
rule "once" { slot = "few", show = { is = "once" } }
cap "once-a-day" { applies = { rule = "once" }, limit = 1, per = "1d" }
`;

const victim = { userId: 'u-victim', anonymousId: 'device-of-the-victim-0001' };
const attacker = 'device-of-the-attacker-01';
const address = 'victim@shop.example';
const names = [victim.userId, `anonymous:${victim.anonymousId}`, `email:${address}`, 'phone:+4915112345678'];
// A database of test addresses: 81.2.69.142 is in Britain, 89.160.20.112 in Sweden.
const database = join(tree, 'tests/data/maxmind-db/GeoIP2-City-Test.mmdb');

async function shopOf(t, { limits = {}, files = {}, ...config } = {}) {
	const shop = await servePeople(t, { config: { proxies: ['127.0.0.0/8'], geo: { database }, limits: { ...quick, ...limits }, ...config }, files: { 'shop/claims.lua': rules, ...files } });
	const from = (ip) => (ip ? { 'x-forwarded-for': ip } : {});
	return Object.assign(shop, {
		// What anybody may send: whether it was accepted.
		claim: async (type, body, ip) => {
			const answer = await shop.send(type, { ...(type === 'track' ? event() : { messageId: undefined }), ...body }, { key: write, headers: from(ip) });
			assert.equal(answer.status, 200, JSON.stringify(answer.body));
			return answer.body;
		},
		tell: async (type, body) => assert.deepEqual((await shop.send(type, body)).body.rejected, []),
		shows: async (slot, body, key = write, headers = {}) => {
			const answer = await shop.decide({ slots: [slot], ...body }, { headers: { ...bearer(key).headers, ...headers } });
			assert.equal(answer.status, 200, JSON.stringify(answer.body));
			return answer.body.decisions[slot].content.is ?? answer.body.decisions[slot].content.n;
		},
	});
}

// The victim, as the shop's own server has told of him.
async function withVictim(t, options) {
	const shop = await shopOf(t, options);
	await shop.tell('identify', { ...victim, traits: { email: address, plan: 'pro', phone: '+4915112345678' } });
	await shop.tell('track', event(victim));
	// By each of his ids the shop finds him.
	for (const id of names) await until(async () => (await shop.known('', id)).status === 200, { what: `${id} leads to the victim` });
	return shop;
}

test('nobody becomes somebody else by saying so', async (t) => {
	const shop = await withVictim(t);
	const before = await shop.visitor(`anonymous:${victim.anonymousId}`);
	const mine = { anonymousId: attacker };
	const hashes = [undefined, '', 'null', userHash('u-other'), userHash(victim.userId).toUpperCase(), userHash(victim.userId).slice(1), '0'.repeat(64)];
	for (const hash of hashes) {
		for (const more of [{ userHash: hash }, { context: { userHash: hash } }, { traits: { userHash: hash } }]) {
			await shop.claim('identify', { ...mine, userId: victim.userId, ...more, traits: { ...more.traits, email: address, phone: '+49 151 12345678', plan: 'free', ids: { email: address } } });
			await shop.claim('track', { ...mine, userId: victim.userId, ...more, context: { ...more.context, traits: { email: address }, externalIds: [{ type: 'email', id: address }] } });
			await shop.claim('alias', { ...mine, userId: victim.userId, previousId: attacker, ...more });
			await shop.claim('alias', { userId: victim.userId, previousId: attacker, ...more });
			await shop.claim('alias', { ...mine, userId: 'u-attacker', previousId: victim.anonymousId, ...more });
			assert.equal(await shop.shows('plan', { ...mine, userId: victim.userId, ...more }), 'none', `free: what he claimed himself, ${hash}`);
			assert.equal(await shop.shows('plan', { userId: victim.userId, ...more }), 'none', 'without an anonymousId he is nobody, of whom nothing is in reach');
		}
	}
	// His own hash makes him himself, whatever else he claims.
	const own = { ...mine, userId: 'u-attacker', userHash: userHash('u-attacker') };
	await shop.claim('identify', { ...own, traits: { email: address, ids: { user: victim.userId } }, context: { externalIds: [{ type: 'user_id', id: victim.userId }] } });
	const after = await shop.visitor(`anonymous:${victim.anonymousId}`);
	for (const id of names) assert.deepEqual((await shop.visitor(id)).ids, after.ids, id);
	assert.deepEqual([after.ids, after.traits, after.facts.viewed, after.claimed], [before.ids, before.traits, before.facts.viewed, []]);
	assert.deepEqual([after.traits.plan, after.traits.email, after.facts.viewed.total], ['pro', address, 1]);
	const known = await shop.visitor(`anonymous:${attacker}`);
	assert.ok(!known.ids.includes(victim.userId) && !known.ids.includes(`email:${address}`) && known.traits.plan === 'free', JSON.stringify(known.ids));
	assert.equal(await shop.seen({ userId: victim.userId }), 1, 'and nothing was counted for him');
	// At the victim's device, whose id he knows, he is another user, not the same one.
	await shop.claim('alias', { ...own, previousId: victim.anonymousId });
	await shop.claim('identify', { ...own, anonymousId: victim.anonymousId, traits: { plan: 'mine' } });
	await shop.claim('track', { ...own, anonymousId: victim.anonymousId });
	for (const id of [victim.userId, `email:${address}`]) {
		const { traits, facts, ids } = await shop.visitor(id);
		assert.deepEqual([traits, facts.viewed.total, ids.includes('u-attacker')], [after.traits, 1, false], id);
	}
	assert.equal(await shop.shows('plan', { ...own, anonymousId: victim.anonymousId }), 'none', 'he has the trait that he told, not the victim\'s');
});

test('with his device\'s anonymousId alone nobody reads what was told of a known user', async (t) => {
	const shop = await withVictim(t);
	const device = { anonymousId: victim.anonymousId };
	const signed = { userId: victim.userId, userHash: userHash(victim.userId) };
	assert.equal(await shop.shows('plan', device, secret), 'pro');
	assert.equal(await shop.shows('plan', { ...device, ...signed }), 'pro');
	for (const more of [{}, { userId: victim.userId }, { userId: victim.userId, userHash: userHash('u-other') }, { context: { traits: { plan: 'pro' } } }])
		assert.equal(await shop.shows('plan', { ...device, ...more }), 'none', 'neither told nor untold');
	assert.equal(await shop.shows('plan', { ...device, userId: 'u-other', userHash: userHash('u-other') }), 'untold', 'another user of the device is another person');
	assert.equal(await shop.shows('seen', device), 1, 'what the device did is its own');
	for (const path of [`/v1/visitors/${victim.userId}`, `/v1/visitors/anonymous:${victim.anonymousId}`, `/v1/visitors/${victim.userId}/timeline`])
		assert.equal((await shop.ask(path, undefined, bearer(write))).status, 403);
	assert.equal((await shop.ask('/v1/explain', { ...device, slots: ['plan'] }, { method: 'POST', ...bearer(write) })).status, 403);
});

test('a claimed address is no id and no address', async (t) => {
	const shop = await shopOf(t);
	const mine = { anonymousId: attacker };
	await shop.claim('identify', { ...mine, traits: { email: address, phone: '+4915112345678', plan: 'pro' } });
	let known = await shop.visitor(`anonymous:${attacker}`);
	assert.deepEqual([known.ids, known.claimed.sort()], [[`anonymous:${attacker}`], ['email', 'phone', 'plan']]);
	for (const id of [`email:${address}`, 'phone:+4915112345678']) assert.equal((await shop.known('', id)).status, 404, id);
	assert.equal(await shop.shows('plan', mine), 'pro', 'rules read it: he is nobody known yet');
	// What a server tells outranks it for good, though it is of an earlier time.
	await shop.tell('identify', { ...mine, timestamp: new Date(Date.now() - 3600e3).toISOString(), traits: { email: 'own@shop.example', plan: 'basic' } });
	await shop.claim('identify', { ...mine, traits: { email: address, plan: 'pro' } });
	await shop.claim('identify', { ...mine, traits: { email: null, plan: null } });
	known = await shop.visitor(`anonymous:${attacker}`);
	assert.deepEqual([known.traits.email, known.traits.plan, known.claimed], ['own@shop.example', 'basic', ['phone']]);
});

const letters = `rule "reminder" { channel = "email", on = "Product Added", send = { text = "still there" } }
rule "notice" { channel = "email", on = "Notice Asked", class = "service", send = { text = "as you asked" } }
rule "receipt" { channel = "email", on = "Order Completed", class = "transactional", send = { text = "thank you" } }
`;

test('nothing is sent to an address that somebody only claims', async (t) => {
	const shop = await shopOf(t, { files: { 'shop/letters.lua': letters }, plugin_path: fakeChannel(t), plugins: { web: {}, email: { file: 'sent.jsonl' } } });
	await shop.tell('identify', { ...victim, traits: { email: address } });
	await until(async () => (await shop.known('', `email:${address}`)).status === 200, { what: 'the address leads to the victim' });
	const claim = async (type, body) => assert.equal((await shop.claim(type, body)).accepted, 1);
	const sent = () => handedTo(join(shop.folder, 'sent.jsonl')).map(({ to, message }) => `${message.rule} to ${to}`);
	// Of a customer, and of somebody of whom the shop knows nothing; by a device, and by a user who proves to be himself.
	const claimers = [address, 'stranger@mail.example'].flatMap((email, i) => [
		{ email, who: { anonymousId: `device-of-the-claimer-${i}` }, id: `anonymous:device-of-the-claimer-${i}` },
		{ email, who: { anonymousId: `device-of-the-signed-${i}`, userId: `u-signed-${i}`, userHash: userHash(`u-signed-${i}`) }, id: `u-signed-${i}` },
	]);
	const happens = { 'Product Added': { product_id: 'p-1', price: 5 }, 'Notice Asked': {}, 'Order Completed': { order_id: 'A-1', revenue: 5 } };
	const became = async (id) => (await shop.visitor(id)).messages?.map((m) => `${m.rule} ${m.what}`).sort();
	for (const { email, who, id } of claimers) {
		const told = { email, phone: '+4915112345678', ids: { email } };
		await claim('identify', { ...who, traits: told });
		await until(async () => (await shop.known('', id)).status === 200, { what: `${id} is known` });
		// He wants letters, as he has told the shop itself.
		assert.equal((await shop.ask(`/v1/visitors/${encodeURIComponent(id)}/consent`, { grant: ['email'] }, { method: 'POST', ...bearer(secret) })).status, 200);
		for (const [name, properties] of Object.entries(happens))
			await claim('track', { ...who, event: name, properties: { ...properties, email }, traits: told, context: { traits: told, externalIds: [{ type: 'email', id: email }] } });
	}
	for (const { id } of claimers) {
		await until(async () => (await became(id))?.length === 3, { what: `it is said what became of the letters to ${id}` });
		assert.deepEqual(await became(id), ['notice no_address', 'receipt no_address', 'reminder no_address'], id);
	}
	assert.deepEqual(sent(), []);
	// The same rules write to where his own server says that he is, whatever he claims then.
	for (const { email, who, id } of claimers) {
		await shop.tell('identify', { ...who, traits: { email: `own-${id.replace(/\W/g, '-')}@shop.example` } });
		await claim('identify', { ...who, traits: { email } });
		for (const [name, properties] of Object.entries(happens)) await claim('track', { ...who, event: name, properties: { ...properties, order_id: 'A-2' } });
	}
	const wanted = claimers.flatMap(({ id }) => ['notice', 'receipt', 'reminder'].map((rule) => `${rule} to own-${id.replace(/\W/g, '-')}@shop.example`)).sort();
	await until(() => sent().length >= wanted.length, { what: 'their letters are sent' });
	assert.deepEqual(sent().sort(), wanted);
	assert.deepEqual(await became(victim.userId) ?? [], [], 'the victim has nothing to do with it');
});

test('nobody consents for another, and nobody to messages without proof', async (t) => {
	const shop = await withVictim(t);
	const say = (id, body, key = write) => shop.ask(`/v1/visitors/${encodeURIComponent(id)}/consent`, body, { method: 'POST', ...bearer(key) });
	for (const id of [victim.userId, `user:${victim.userId}`, `email:${address}`]) assert.equal((await say(id, { grant: ['analytics'] })).status, 403, id);
	for (const channel of ['email', 'sms', 'push']) assert.equal((await say(`anonymous:${attacker}`, { grant: [channel] })).status, 403, channel);
	assert.equal((await say(`anonymous:${attacker}`, { grant: ['personalization'] })).status, 200);
	await shop.claim('identify', { anonymousId: attacker, userId: victim.userId, traits: { email: address }, context: { consent: { categoryPreferences: { email: true, personalization: true } } } });
	await shop.claim('track', { anonymousId: attacker, userId: victim.userId, event: 'Segment Consent Preference Updated', context: { consent: { categoryPreferences: { email: true } } } });
	assert.deepEqual((await shop.visitor(`anonymous:${victim.anonymousId}`)).consent, {});
	assert.equal((await shop.visitor(`anonymous:${attacker}`)).consent.email, undefined);
});

test('what anybody may write opens no guard', async (t) => {
	const shop = await shopOf(t);
	const mine = { anonymousId: attacker };
	await shop.claim('identify', { ...mine, traits: { age: 30, plan: 'x', country: 'SE', timezone: 'Europe/Stockholm' } });
	for (const more of [{}, { context: { traits: { age: 30 } } }, { traits: { age: 30 } }]) assert.equal(await shop.shows('adult', { ...mine, ...more }), 'none');
	await shop.claim('identify', { ...mine, userId: 'u-1', userHash: userHash('u-1'), traits: { age: 30 } });
	assert.equal(await shop.shows('adult', { ...mine, userId: 'u-1', userHash: userHash('u-1') }), 'none', 'a hash proves who, not what');
	await shop.tell('identify', { ...mine, traits: { age: 30 } });
	assert.equal(await shop.shows('adult', { ...mine, userId: 'u-1', userHash: userHash('u-1') }), 'wine');

	const britain = '81.2.69.142', sweden = '89.160.20.112';
	assert.equal(await shop.shows('place', mine, write, { 'x-forwarded-for': sweden }), 'fireworks');
	for (const context of [{}, { ip: sweden }, { location: { country: 'SE' } }, { timezone: 'Europe/Stockholm', locale: 'sv-SE' }, { ip: sweden, direct: true, location: { country: 'Sweden', region: 'SE-E' } }]) {
		await shop.claim('track', { ...mine, context }, britain);
		assert.equal(await shop.shows('place', { ...mine, context }, write, { 'x-forwarded-for': britain }), 'none', JSON.stringify(context));
		assert.equal(await shop.shows('place', { ...mine, context }, write, { 'x-forwarded-for': `${sweden}, ${britain}` }), 'none', 'what he writes stands left of what the proxy writes');
		assert.equal(await shop.shows('place', { ...mine, context }, write, { 'x-forwarded-for': britain, forwarded: `for=${sweden}` }), 'none');
	}
});

test('a signature is kept nowhere', async (t) => {
	const shop = await shopOf(t);
	const hash = userHash('u-signed');
	for (const key of [write, secret])
		for (const more of [{ userHash: hash }, { context: { userHash: hash } }, { traits: { userHash: hash } }, { context: { traits: { userHash: hash } } }])
			assert.equal((await shop.send('identify', { userId: 'u-signed', anonymousId: victim.anonymousId, ...more }, { key })).body.accepted, 1);
	// Nor among the dead letters, which are judged as they were nonetheless.
	const late = { userId: 'u-late', event: 'Product Viewed', properties: { product_id: 'p-1' }, timestamp: '2020-01-01T00:00:00Z', context: { userHash: userHash('u-late') } };
	for (const more of [{}, { context: { userHash: hash } }]) assert.equal((await shop.claim('track', { ...late, anonymousId: undefined, ...more })).rejected[0].code, 'too_late');
	const letters = shop.command('dead-letters', 'list', '--json').stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
	assert.deepEqual(letters.map((l) => l.sender).sort(), ['signed', 'write']);
	const known = await shop.visitor(`anonymous:${victim.anonymousId}`);
	assert.ok(known.ids.includes('u-signed') && !JSON.stringify(known).includes(hash));
	await shop.daemon.stop();
	const bytes = bytesInStore(shop);
	assert.ok(bytes.includes('u-signed'), 'what is looked for is found');
	for (const kept of [hash, userHash('u-late')]) assert.ok(!bytes.includes(kept), kept);
});

test('a group and an earlier id take proof', async (t) => {
	const shop = await shopOf(t);
	const mine = { anonymousId: attacker }, signed = { ...mine, userId: 'u-1', userHash: userHash('u-1') };
	await shop.claim('group', { ...mine, groupId: 'acme', traits: { plan: 'gold' } });
	await shop.claim('group', { ...mine, userId: 'u-1', userHash: userHash('u-2'), groupId: 'acme', traits: { plan: 'gold' } });
	assert.deepEqual((await shop.visitor(`anonymous:${attacker}`)).traits, {});
	await shop.claim('group', { ...signed, groupId: 'acme', traits: { plan: 'gold' } });
	let known = await shop.visitor(`anonymous:${attacker}`);
	assert.deepEqual([known.traits, known.claimed.sort()], [{ groupId: 'acme', group_plan: 'gold' }, ['groupId', 'group_plan']]);
	await shop.tell('group', { ...signed, groupId: 'own', traits: { size: 3 } });
	await shop.claim('group', { ...signed, groupId: 'acme', traits: { plan: 'gold' } });
	known = await shop.visitor(`anonymous:${attacker}`);
	assert.deepEqual([known.traits, known.claimed], [{ groupId: 'own', group_size: 3 }, []]);
	const short = await shop.claim('alias', { ...signed, previousId: 'guessed' });
	assert.equal(short.rejected[0].code, 'bad_anonymous_id');
});

test('placeholders are nobody', async (t) => {
	const shop = await shopOf(t);
	const blocked = async () => (await metrics(shop)).floorwalker_identity_blocked_total;
	const { body } = await shop.send('batch', { batch: [event({ anonymousId: undefined, userId: 'null' }), event({ anonymousId: '00000000-0000-0000-0000-000000000000' }), event({ anonymousId: undefined, userId: 0 }), event({ userId: 'Undefined' })] });
	assert.deepEqual([body.accepted, body.rejected.map((r) => r.code)], [1, ['blocked_id', 'blocked_id', 'blocked_id']]);
	assert.match(body.rejected[0].message, /the userId "null" is what programs write where there is none/);
	assert.equal(await blocked(), 4);
	for (const id of ['null', 'Undefined', 'anonymous:00000000-0000-0000-0000-000000000000']) assert.equal((await shop.known('', id)).status, 404, id);
	assert.equal(await shop.shows('few', { anonymousId: '00000000-0000-0000-0000-000000000000' }), 'none', 'who is nobody has no place under a cap');
	assert.equal(await shop.seen({ anonymousId: 'visitor-000000001' }), 1);
});

testOnLmdb('ten thousand invented ids are told to come later, and leave hardly a trace', async (t) => {
	const most = 120, ids = long ? 10000 : 800;
	const shop = await shopOf(t, { limits: { new_per_address_min: most, per_address_s: 0 } });
	const rows = async () => (await metrics(shop)).floorwalker_store_rows;
	// Workers lease each of 64 groups of buckets whose messages they look after; and, as it comes, a row for each 4 of them that somebody lacks.
	const groups = 64, lacks = groups / 4;
	const before = await until(async () => { const n = await rows(); return n >= groups && n; }, { what: 'all groups are leased' }), began = Date.now();
	const first = 'invented-visitor-0000000', one = (anonymousId, ip, key = write) => shop.send('track', event({ anonymousId }), { key, headers: ip ? { 'x-forwarded-for': ip } : {} });
	let accepted = 0;
	for (let i = 0; i < ids; i += 50) {
		const answers = await Promise.all(Array.from({ length: 50 }, (_, k) => one(`invented-visitor-${String(i + k).padStart(7, '0')}`, `2001:db8:7:7::${i.toString(16)}`)));
		for (const answer of answers) {
			accepted += answer.status === 200;
			if (answer.status === 200) continue;
			assert.equal(answer.status, 429);
			assert.equal(answer.body.error.code, 'too_many');
			assert.match(answer.headers.get('retry-after'), /^[1-9]\d*$/);
		}
	}
	// The minute's worth, what came free meanwhile, and at most one in a hundred that is taken for somebody known.
	const allowed = most + (Date.now() - began) / 60e3 * most + ids / 50 + 2;
	assert.ok(accepted <= allowed && accepted >= most / 2, `${accepted} of at most ${allowed}`);
	const more = await rows() - before;
	assert.ok(more <= accepted + lacks, `the store has those who were let in: ${more}, ${accepted}`);
	const counted = (await metrics(shop))['floorwalker_http_requests_limited_total{limit="new"}'];
	assert.equal(counted, ids - accepted);
	// A batch is let in as a whole or not at all, a number is an id as well, and consent makes a person, too.
	const many = await shop.send('batch', { batch: Array.from({ length: 500 }, (_, i) => event({ anonymousId: 1e15 + i })) }, { key: write, headers: { 'x-forwarded-for': '2001:db8:7:7::1' } });
	assert.equal(many.status, 429);
	const say = (id, ip) => shop.ask(`/v1/visitors/anonymous:${id}/consent`, { grant: ['analytics'] }, { method: 'POST', headers: { ...bearer(write).headers, 'x-forwarded-for': ip } });
	const said = await Promise.all(Array.from({ length: 200 }, (_, i) => say(`consents-visitor-${i}-00`, '2001:db8:7:7::2')));
	assert.ok(said.filter((a) => a.status === 429).length > 150, JSON.stringify(said.map((a) => a.status)));
	// A decision reserves a place under a cap, and so makes a person.
	const few = await Promise.all(Array.from({ length: 200 }, (_, i) => shop.shows('few', { anonymousId: `decides-visitor-${i}-000` }, write, { 'x-forwarded-for': '2001:db8:7:7::3' })));
	assert.ok(few.filter((is) => is === 'once').length < 50, JSON.stringify(few));
	// Whoever was let in goes on, and so do others, servers, and this machine.
	assert.equal((await one(first, '2001:db8:7:7::4')).status, 200);
	for (const [ip, key] of [['2001:db8:7:8::1', write], ['198.51.100.7', write], ['2001:db8:7:7::5', secret], [undefined, write]]) assert.equal((await one(`late-visitor-${ip}-${key}-0000`, ip, key)).status, 200, ip);
});

testOnLmdb('requests are limited by address and by key, and so is guessing keys', async (t) => {
	const shop = await shopOf(t, { workers: 1, limits: { per_address_s: 3, per_key_s: 8 } });
	const ask = (ip, key = write) => shop.decide({ slots: ['plan'] }, { headers: { ...bearer(key).headers, ...(ip ? { 'x-forwarded-for': ip } : {}) } });
	const statuses = async (n, ...of) => (await Promise.all(Array.from({ length: n }, () => ask(...of)))).map((a) => a.status);
	const count = (all, status) => all.filter((s) => s === status).length;
	const one = await statuses(60, '203.0.113.7');
	assert.ok(count(one, 200) >= 30 && count(one, 200) < 50 && count(one, 429) === 60 - count(one, 200), JSON.stringify(one));
	const refused = await ask('203.0.113.7');
	assert.deepEqual([refused.status, refused.body.error.code], [429, 'too_many']);
	assert.match(refused.headers.get('retry-after'), /^[1-9]\d*$/);
	assert.equal((await ask('203.0.113.7', secret)).status, 200, 'a server is not limited');
	assert.equal((await shop.ask('/livez', undefined, { headers: { 'x-forwarded-for': '203.0.113.7' } })).status, 200);
	const guesses = await statuses(60, '203.0.113.8', 'sk-guessed');
	assert.ok(count(guesses, 401) >= 30 && count(guesses, 401) < 50 && count(guesses, 429) > 10, JSON.stringify(guesses));
	// The key: what the one address took of it, and the rest by others, from this machine too.
	const key = await statuses(120);
	assert.ok(count(key, 429) > 20 && count(key, 200) > 20, JSON.stringify(key));
	const told = await metrics(shop);
	assert.ok(told['floorwalker_http_requests_limited_total{limit="address"}'] > 0 && told['floorwalker_http_requests_limited_total{limit="key"}'] > 0);
});
