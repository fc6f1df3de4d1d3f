// The tracking paths as anybody may call them: every path, every way to bring a key, wrong bodies, limits, and what becomes of
// an event.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { ask } from './daemon.mjs';
import { bearer, event, keys, secret, servePeople, userHash, write } from './people.mjs';
import { askFresh, metrics, quick, serve } from './server.mjs';
import { test, testOnLmdb } from './stores.mjs';

const paths = { track: 't', identify: 'i', page: 'p', screen: 's', group: 'g', alias: 'a' };
// The least that each type needs.
const least = { track: { event: 'Product Viewed', properties: { product_id: 'p-1' } }, identify: { traits: { plan: 'pro' } }, page: { name: 'Home' }, screen: { name: 'Cart' }, group: { groupId: 'g-1' }, alias: { previousId: 'a-before', userId: 'u-alias' } };

test('every path takes its events, under its long and its short name', async (t) => {
	const shop = await servePeople(t);
	for (const [type, letter] of Object.entries(paths)) {
		for (const path of [type, letter]) {
			const who = type === 'alias' ? `user-of-${path}` : `visitor-of-${path}-00`;
			// The type that a path names wins over the body's, which may lack one.
			for (const told of [{}, { type: 'page' }, { type: 'nonsense', 'messageId': `m-${path}` }]) {
				const body = { ...least[type], ...(type === 'alias' ? { userId: who } : { anonymousId: who }), ...told };
				const answer = await shop.send(path, body);
				assert.equal(answer.status, 200, path);
				assert.deepEqual(answer.body, { success: true, accepted: 1, rejected: [] }, path);
			}
			const id = type === 'alias' ? who : `anonymous:${who}`;
			const timeline = await shop.timeline(id);
			assert.deepEqual(timeline.map((e) => e.type), [type, type, type], path);
		}
	}
	for (const path of ['batch', 'b']) {
		const who = `visitor-of-${path}-000`;
		const batch = Object.entries(least).map(([type, fields]) => ({ type, anonymousId: who, ...fields })).filter((e) => e.type !== 'alias');
		assert.deepEqual((await shop.send(path, { batch, sentAt: new Date().toISOString() })).body, { success: true, accepted: 5, rejected: [] });
		assert.deepEqual((await shop.timeline(`anonymous:${who}`)).map((e) => e.type).sort(), ['group', 'identify', 'page', 'screen', 'track']);
	}
	assert.equal((await metrics(shop)).floorwalker_web_track_requests_total, 6 * 2 * 3 + 2);
});

// On its second page a visit was once called direct, whatever had brought the visitor.
test('a visit keeps the source it came from', async (t) => {
	const shop = await servePeople(t);
	const anonymousId = 'visitor-from-an-ad', page = (url, referrer) => ({ url, referrer });
	const first = page('https://shop.example/sale?utm_source=facebook&utm_medium=cpc&utm_campaign=winter', 'https://l.facebook.com/');
	const inner = page('https://shop.example/boots', 'https://shop.example/sale');
	const source = async (who, at) => (await ask(`${shop.url}/v1/explain`, { ...who, slots: ['seen'], context: { page: at } }, bearer(secret))).body.facts;
	assert.equal((await shop.send('page', { anonymousId, name: 'Sale', context: { page: first } })).body.accepted, 1);
	const facts = await source({ anonymousId }, inner);
	assert.deepEqual([facts.source, facts.medium, facts.campaign], ['paid_social', 'cpc', 'winter']);
	assert.equal((await shop.send('page', { anonymousId, name: 'Boots', context: { page: inner } })).body.accepted, 1);
	assert.equal((await source({ anonymousId }, inner)).source, 'paid_social');
	// Of whom nothing is known, an inner page tells nothing; a first page without a referrer is a direct visit.
	assert.equal((await source({}, inner)).source, undefined);
	assert.equal((await source({}, page('https://shop.example/', ''))).source, 'direct');
});

test('a key comes in every way that clients of Segment have', async (t) => {
	const shop = await servePeople(t);
	const basic = (user) => ({ authorization: `Basic ${Buffer.from(user).toString('base64')}` });
	for (const [headers, more] of [[basic(`${write}:`), {}], [basic(write), {}], [{ authorization: `Bearer ${write}` }, {}], [{ 'x-api-key': write }, {}], [{}, { writeKey: write }]]) {
		for (const type of ['application/json', 'text/plain', 'text/plain;charset=UTF-8', 'application/x-www-form-urlencoded']) {
			const one = await ask(`${shop.url}/v1/t`, { ...event(), ...more }, { headers: { ...headers, 'content-type': type } });
			assert.deepEqual([one.status, one.body.accepted], [200, 1], JSON.stringify(headers));
			const many = await ask(`${shop.url}/v1/batch`, { batch: [event(), event()], ...more }, { headers: { ...headers, 'content-type': type } });
			assert.deepEqual([many.status, many.body.accepted], [200, 2], JSON.stringify(headers));
		}
	}
	assert.equal(await shop.seen({ anonymousId: 'visitor-000000001' }), 5 * 4 * 3);
	for (const headers of [{}, basic('wk-unknown:'), { authorization: 'Bearer no' }])
		for (const path of [...Object.keys(paths), ...Object.values(paths), 'batch', 'b']) assert.equal((await ask(`${shop.url}/v1/${path}`, event(), { headers })).status, 401, path);
	// A header's key is the one that counts.
	assert.equal((await ask(`${shop.url}/v1/t`, { ...event(), writeKey: write }, { headers: basic('wk-unknown:') })).status, 401);
	// A body of small values, near the limit, with its key at its end.
	const small = `{"batch":[${Array.from({ length: 1000 }, (_, i) => JSON.stringify({ ...event({ anonymousId: 'visitor-000000002' }), properties: { product_id: 'p-1', list: Array(400).fill(i % 10) } })).join()}],"writeKey":"${write}"}`;
	assert.ok(small.length > 900_000 && small.length < 1 << 20, `${small.length}`);
	const answer = await ask(`${shop.url}/v1/batch`, small);
	assert.deepEqual([answer.status, answer.body.accepted], [200, 1000], JSON.stringify(answer.body));
});

test('a write key speaks for an anonymousId that is a secret; a userId needs its signature', async (t) => {
	const shop = await servePeople(t);
	const short = await shop.send('track', event({ anonymousId: 'short' }), { key: write });
	assert.equal(short.status, 200);
	assert.deepEqual([short.body.accepted, short.body.rejected.length, short.body.rejected[0].index], [0, 1, 0]);
	assert.equal((await shop.send('track', event({ anonymousId: 'short' }))).body.accepted, 1);
	// Of a userId alone: by a server, signed in each place, and claimed, which is kept as unverified and read by no rule.
	const of = (userId, more = {}) => event({ anonymousId: undefined, userId, ...more });
	for (const [userId, more, options] of [
		['u-server', {}, {}], ['u-top', { userHash: userHash('u-top') }, { key: write }], ['u-context', { context: { userHash: userHash('u-context') } }, { key: write }],
		['u-traits', { type: 'identify', traits: { userHash: userHash('u-traits') } }, { key: write }], ['u-claimed', {}, { key: write }], ['u-forged', { userHash: userHash('u-top') }, { key: write }],
	]) {
		assert.equal((await shop.send('batch', { batch: [of(userId, more)] }, options)).body.accepted, 1, userId);
		const proven = !['u-claimed', 'u-forged'].includes(userId);
		assert.equal((await shop.known('', userId)).status, proven ? 200 : 404, userId);
		assert.equal(await shop.seen({ userId }), proven && userId !== 'u-traits' ? 1 : 0, userId);
		const { timeline, unverified } = (await shop.known('/timeline', userId)).body;
		assert.equal((proven ? timeline : unverified).length, 1, userId);
		assert.ok(!JSON.stringify([timeline, await shop.visitor(userId)]).includes(userHash(userId)), 'a signature is kept nowhere');
	}
	// With an anonymousId the claim changes that visitor alone.
	assert.equal((await shop.send('track', event({ userId: 'u-claimed' }), { key: write })).body.accepted, 1);
	assert.equal(await shop.seen({ anonymousId: 'visitor-000000001' }), 1);
	assert.equal((await shop.known('', 'u-claimed')).status, 404);
});

test('bodies may be gzip, and arrive in any pieces', async (t) => {
	const shop = await servePeople(t);
	const packed = gzipSync(JSON.stringify({ batch: [event(), event()] }));
	const answer = await fetch(`${shop.url}/v1/batch`, { method: 'POST', body: packed, headers: { 'content-encoding': 'gzip', authorization: `Bearer ${write}` } });
	assert.deepEqual(await answer.json(), { success: true, accepted: 2, rejected: [] });
	const chunked = await fetch(`${shop.url}/v1/p`, { method: 'POST', duplex: 'half', headers: { authorization: `Bearer ${write}` }, body: new ReadableStream({
		start(to) {
			for (const c of ' {"anonymousId":"visitor-000000001", "name":"Home" } \n') to.enqueue(Buffer.from(c));
			to.close();
		},
	}) });
	assert.deepEqual(await chunked.json(), { success: true, accepted: 1, rejected: [] });
	assert.equal(await shop.seen({ anonymousId: 'visitor-000000001' }), 2);
	assert.equal((await shop.timeline('anonymous:visitor-000000001')).length, 3);
});

test('a body that is wrong is told what is wrong, and nothing of it is taken', async (t) => {
	const shop = await servePeople(t);
	const one = JSON.stringify(event());
	for (const [path, body, code] of [
		['track', '', 'bad_json'], ['track', '{', 'bad_json'], ['track', '}', 'bad_json'], ['track', one.slice(0, -1), 'bad_json'], ['track', `${one}}`, 'bad_json'], ['track', '{"a":"}', 'bad_json'],
		['track', '{"a":{"b":1}', 'bad_json'], ['track', '{"a":1,}', 'bad_json'], ['track', '{,}', 'bad_json'], ['track', '{}{}', 'bad_json'], ['track', '{"a":"\xff"', 'bad_json'], ['batch', '{"batch":[', 'bad_json'],
		['batch', '', 'bad_json'], ['track', `[${one}]`, 'bad_request'], ['track', ' \n[', 'bad_request'], ['track', '"x"', 'bad_request'], ['track', '7', 'bad_request'], ['batch', '"x"', 'bad_request'], ['batch', 'null', 'bad_request'],
		['batch', '{"batch":{}}', 'bad_request'], ['batch', '{"batch":"x"}', 'bad_request'],
	]) {
		const answer = await shop.send(path, body);
		assert.equal(answer.status, 400, `${path} ${body}`);
		assert.equal(answer.body.error.code, code, `${path} ${body}`);
		assert.ok(answer.body.error.message);
	}
	assert.equal((await shop.known('', 'anonymous:visitor-000000001')).status, 404);
	// What the server says of a byte is true of the body that was sent, with the path's type at its end.
	const wrong = '{"anonymousId":"visitor-000000001","properties":{"a":tru}}';
	const { message } = (await shop.send('track', wrong)).body.error;
	const at = Number(message.match(/near byte (\d+)/)[1]);
	assert.ok(Math.abs(at - wrong.indexOf('tru')) < 8, message);
	for (const path of ['track', 't', 'batch']) {
		const { status, headers } = await ask(`${shop.url}/v1/${path}`, undefined, bearer(secret));
		assert.deepEqual([status, headers.get('allow')], [405, 'POST']);
	}
	assert.equal((await ask(`${shop.url}/v1/import`, {}, bearer(secret))).status, 404);
});

test('an event that is wrong is refused alone, with its place and the reason', async (t) => {
	const shop = await servePeople(t);
	const batch = [event(), event({ anonymousId: undefined }), event({ event: undefined }), event({ type: undefined }), event({ type: 'nonsense' }), event({ type: 'group', groupId: undefined }), event({ type: 'alias', previousId: undefined }),
		'x', 7, null, [], event({ timestamp: 'yesterday' }), event()];
	const { status, body } = await shop.send('batch', { batch });
	assert.equal(status, 200);
	assert.equal(body.success, true);
	assert.equal(body.accepted, 2);
	assert.deepEqual(body.rejected.map((r) => r.index), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
	assert.equal(body.rejected[0].code, 'no_user_anon_id');
	for (const { code, message } of body.rejected) assert.ok(/^[a-z_]+$/.test(code) && message, code);
	assert.equal(await shop.seen({ anonymousId: 'visitor-000000001' }), 2);
	// A single one in the same words: it is a dead letter, which no repetition makes better.
	const single = await shop.send('track', event({ anonymousId: undefined }));
	assert.deepEqual([single.status, single.body.accepted, single.body.rejected[0].index, single.body.rejected[0].code], [200, 0, 0, 'no_user_anon_id']);
});

test('an event over 64 KiB is refused alone, one over 32 KiB is not, a body over 1 MiB is', async (t) => {
	const shop = await servePeople(t);
	const big = (n) => event({ properties: { product_id: 'p-1', text: 'x'.repeat(n) } });
	const { status, body } = await shop.send('batch', { batch: [big(30_000), big(40_000), big(64_000), big(66_000), big(10)] });
	assert.equal(status, 200);
	assert.deepEqual([body.accepted, body.rejected.map((r) => [r.index, r.code])], [4, [[3, 'too_large']]]);
	assert.equal(await shop.seen({ anonymousId: 'visitor-000000001' }), 4);
	const over = await shop.send('batch', { batch: Array.from({ length: 20 }, () => big(60_000)) });
	assert.deepEqual([over.status, over.body.error.code], [413, 'too_large']);
	assert.equal(await shop.seen({ anonymousId: 'visitor-000000001' }), 4);
	// As many as fit.
	const many = Array.from({ length: 2500 }, (_, i) => ({ type: 'track', event: 'Product Viewed', messageId: `many-${i}`, anonymousId: `visitor-0000-${i % 50}`, properties: { product_id: 'p-1' } }));
	assert.deepEqual((await shop.send('batch', { batch: many })).body, { success: true, accepted: 2500, rejected: [] });
	for (const i of [0, 49]) assert.equal(await shop.seen({ anonymousId: `visitor-0000-${i}` }), 50);
});

test('the same messageId counts once, however and wherever it comes again', async (t) => {
	const shop = await servePeople(t);
	const anonymousId = 'visitor-000000001';
	const batch = [event(), event(), event()];
	// Fresh connections reach all workers.
	const again = async () => JSON.parse((await askFresh(`${shop.url}/v1/batch`, { batch, writeKey: secret })).text);
	for (let i = 0; i < 10; i++) assert.deepEqual(await again(), { success: true, accepted: 3, rejected: [] });
	await Promise.all(Array.from({ length: 10 }, again));
	await shop.send('batch', { batch: [batch[0], batch[0], { ...batch[1], properties: { product_id: 'p-2' } }] });
	assert.equal(await shop.seen({ anonymousId }), 3);
	assert.equal((await shop.visitor(`anonymous:${anonymousId}`)).facts.viewed.total, 3);
	assert.equal((await shop.timeline(`anonymous:${anonymousId}`)).length, 3);
	// Without one each counts.
	for (let i = 0; i < 3; i++) await shop.send('track', { ...event(), messageId: undefined });
	assert.equal(await shop.seen({ anonymousId }), 6);
});

test('numbers may be text, and the old names of e-commerce events are understood', async (t) => {
	const shop = await servePeople(t);
	const anonymousId = 'visitor-000000001';
	const old = [['Viewed Product', { product_id: 'p-1' }], ['Added Product', { product_id: 'p-1', price: '19.90', quantity: '2' }], ['Completed Order', { order_id: 'o-1', total: '44.80', revenue: '39.80', products: [{ product_id: 'p-1', quantity: '2' }] }]];
	for (const [name, properties] of old) assert.equal((await shop.send('track', event({ event: name, properties }))).body.accepted, 1, name);
	assert.equal(await shop.seen({ anonymousId }), 1);
	const { facts, orders } = await shop.visitor(`anonymous:${anonymousId}`);
	assert.equal(facts.added.total, 1);
	assert.equal(facts.bought.total, 2);
	assert.equal(facts.orders, 1);
	assert.equal(facts.revenue, 39.8);
	assert.equal(orders.length, 1);
});

test('a clock that is wrong is set right by sentAt', async (t) => {
	const shop = await servePeople(t);
	const hour = 3600_000;
	for (const [skew, who] of [[0, 'visitor-of-skew-none'], [5 * hour, 'visitor-of-skew-ahead'], [-400 * 24 * hour, 'visitor-of-skew-behind']]) {
		const now = Date.now();
		const stamp = (ago) => new Date(now + skew - ago).toISOString();
		await shop.send('batch', { batch: [event({ anonymousId: who, timestamp: stamp(2 * hour) })], sentAt: stamp(0) });
		await shop.send('track', event({ anonymousId: who, timestamp: stamp(hour), sentAt: stamp(0) }));
		const at = (await shop.timeline(`anonymous:${who}`)).map((e) => Date.parse(e.at));
		assert.ok(Math.abs(at[0] - (now - hour)) < 30_000 && Math.abs(at[1] - (now - 2 * hour)) < 30_000, `${who}: ${at.map((x) => x - now)}`);
	}
});

test('what is known of a visitor, for who may ask', async (t) => {
	const shop = await servePeople(t);
	for (const id of ['anonymous:visitor/of 100%25ß', 'u/%2F', 'timeline']) {
		const who = id.startsWith('anonymous:') ? { anonymousId: id.slice(10) } : { userId: id, anonymousId: undefined };
		await shop.send('track', event(who));
		assert.equal((await shop.known('', id)).status, 200, id);
		assert.equal((await shop.visitor(id)).facts.viewed.total, 1, id);
		assert.equal((await shop.timeline(id)).length, 1, id);
	}
	const at = `${shop.url}/v1/visitors`;
	for (const path of ['/', '/u/x', '/u/timeline/x', '/u/', '//timeline', '/nobody', '/anonymous:nobody', '/nobody/timeline']) {
		const { status, body } = await ask(at + path, undefined, bearer(secret));
		assert.deepEqual([status, body.error.code], [404, 'not_found'], path);
	}
	assert.equal((await ask(`${at}/timeline`)).status, 401);
	assert.equal((await ask(`${at}/timeline`, undefined, bearer(write))).status, 403);
	assert.equal((await ask(`${at}/timeline`, undefined, { method: 'PUT', ...bearer(secret) })).status, 405);
	assert.equal((await ask(`${at}/timeline`, {}, bearer(secret))).status, 404);
});

testOnLmdb('settings tell the browser client where events go', async (t) => {
	const shop = await serve(t, { config: { keys: { ...keys, write: [write, 'wk/"0123456789\\'] }, cors: ['https://shop.example'], proxies: ['127.0.0.1'] } });
	const settings = (key, headers) => ask(`${shop.url}/v1/projects/${encodeURIComponent(key)}/settings`, undefined, { headers });
	for (const key of [write, 'wk/"0123456789\\']) {
		const { status, body } = await settings(key, {});
		assert.equal(status, 200);
		const segment = body.integrations['Segment.io'];
		assert.deepEqual([segment.apiKey, segment.apiHost, segment.protocol], [key, `${new URL(shop.url).host}/v1`, 'http']);
		assert.equal(body.metrics.sampleRate, 0);
	}
	assert.equal((await settings(write, { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' })).body.integrations['Segment.io'].protocol, 'https');
	assert.equal((await settings(write, { origin: 'https://shop.example' })).headers.get('access-control-allow-origin'), 'https://shop.example');
	for (const key of ['wk-unknown', `${write}x`, ' ']) assert.equal((await settings(key, {})).status, 404, key);
	for (const path of ['', `${write}`, `${write}/`, `${write}/other`, `${write}/settings/more`, '/settings']) assert.equal((await ask(`${shop.url}/v1/projects/${path}`)).status, 404, path);
	assert.equal((await ask(`${shop.url}/v1/projects/${write}/settings`, {})).status, 405);
});

testOnLmdb('without keys loopback gets settings for any key, a forwarded request none', async (t) => {
	const shop = await serve(t);
	const settings = (headers) => ask(`${shop.url}/v1/projects/any/settings`, undefined, { headers });
	assert.equal((await settings({})).body.integrations['Segment.io'].apiKey, 'any');
	assert.equal((await settings({ 'x-forwarded-for': '192.0.2.1' })).status, 404);
});

testOnLmdb('a page of a configured origin may send every kind of event', async (t) => {
	const shop = await serve(t, { config: { keys, cors: ['https://shop.example'] } });
	for (const path of [...Object.keys(paths), ...Object.values(paths), 'batch', 'b']) {
		const { status, headers } = await ask(`${shop.url}/v1/${path}`, undefined, { method: 'OPTIONS', headers: { origin: 'https://shop.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type,x-retry-count' } });
		assert.equal(status, 204);
		assert.equal(headers.get('access-control-allow-origin'), 'https://shop.example');
		assert.match(headers.get('access-control-allow-headers'), /X-Retry-Count/);
	}
	const visitors = await ask(`${shop.url}/v1/visitors/u-1`, undefined, { method: 'OPTIONS', headers: { origin: 'https://shop.example', 'access-control-request-method': 'GET' } });
	assert.equal(visitors.headers.get('access-control-allow-origin'), null);
});

testOnLmdb('more than can wait for the store is told to come again, and nothing is lost', async (t) => {
	const shop = await servePeople(t, { config: { workers: 1, limits: { ...quick, heartbeat_ms: 60000 } } });
	const master = shop.daemon.child.pid;
	const [keeper] = readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim().split(' ').map(Number).filter((pid) => pid !== shop.status().loader);
	const bodies = Array.from({ length: 80 }, (_, i) => JSON.stringify({
		batch: Array.from({ length: 16 }, () => event({ anonymousId: `visitor-of-body-${i}`, properties: { product_id: 'p-1', text: 'x'.repeat(60_000) } })),
	}));
	process.kill(keeper, 'SIGSTOP');
	const answers = bodies.map((body) => shop.send('batch', body));
	// What cannot wait is refused while the store stands still; what waits is answered when it goes on.
	const refused = await Promise.any(answers).finally(() => process.kill(keeper, 'SIGCONT'));
	assert.deepEqual([refused.status, refused.headers.get('retry-after'), refused.body.error.code], [503, '1', 'unavailable']);
	const statuses = (await Promise.all(answers)).map((a) => a.status);
	assert.deepEqual([...new Set(statuses)].sort(), [200, 503]);
	for (const [i, body] of bodies.entries()) {
		const again = await shop.send('batch', body);
		assert.deepEqual([again.status, again.body.accepted], [200, 16]);
		assert.equal(await shop.seen({ anonymousId: `visitor-of-body-${i}` }), 16);
	}
});
