// OpenFeature's stock providers, unmodified, in Node and in Chromium: a slot is a flag. And what their protocol says, by hand.

import './release.mjs';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature } from '@openfeature/server-sdk';
import { chromium } from 'playwright-core';
import { buildSync } from '../../plugins/web/page/node_modules/esbuild/lib/main.js';
import { ask, tree } from './daemon.mjs';
import { shownUnder } from './guides.mjs';
import { bearer, event, secret, servePeople, until, userHash, write } from './people.mjs';
import { startProxy } from './proxy.mjs';
import { startRedis } from './redis.mjs';
import { openStream } from './sse.mjs';
import { metrics } from './server.mjs';
import { chrome } from './snippet.mjs';

const rules = `slot "home.hero" { channel = "web", default = { headline = "Welcome" } }
slot "home.strip" { channel = "web", show_up_to = 2 }
slot "home.nothing" { channel = "web" }
slot "home/odd key \\"1\\"" { channel = "web", default = { n = 7 } }
slot "home.half" { channel = "web" }
slot "home.several" { channel = "web", show_up_to = 3, default = { text = "One for all" } }
slot "home.few" { channel = "web", show_up_to = 3 }
slot "back.office" { channel = "web", public = false, default = { key = "inside" } }
rule "pro" { slot = "home.hero", priority = 30, when = { traits = { plan = "pro" } }, show = { headline = "For pros" } }
rule "customer" { slot = "home.hero", priority = 25, when = { logged_in = true }, show = { headline = "Good to see you" } }
rule "boots" { slot = "home.hero", priority = 20, when = { viewed = { product = "p-1" } }, show = { headline = "Boots", sizes = list { 41, 42 } } }
rule "sale" { slot = "home.hero", priority = 10, when = { page = "/sale" }, show = { headline = "Sale" } }
rule "canada" { slot = "home.strip", priority = 2, when = { country = "CA" }, show = { text = "Free shipping to Canada" } }
rule "everywhere" { slot = "home.strip", show = { text = "Open until ten" } }
rule "half" { slot = "home.half", rollout = 50, show = { half = true } }
`;
const serveFlags = (t, config = {}) => servePeople(t, { config, files: { 'shop/home.lua': rules } });
const one = 'visitor-000000001';

// A client of the server SDK: evaluate(flag, context) answers the details.
async function client(t, shop, key = secret) {
	const domain = `d-${Math.random()}`;
	await OpenFeature.setProviderAndWait(domain, new OFREPProvider({ baseUrl: shop.url, headers: [['Authorization', `Bearer ${key}`]] }));
	t.after(() => OpenFeature.clearProviders());
	const c = OpenFeature.getClient(domain);
	return (flag, context = {}, otherwise = { none: 1 }) => c.getObjectDetails(flag, otherwise, context);
}

test('the server provider: content, rule and reason', async (t) => {
	const shop = await serveFlags(t);
	const evaluate = await client(t, shop);
	const brief = async (...args) => { const { value, variant, reason, errorCode } = await evaluate(...args); return [value, variant, reason, errorCode].filter((x) => x !== undefined); };
	assert.deepEqual(await brief('home.hero', { targetingKey: one }), [{ headline: 'Welcome' }, 'default', 'DEFAULT']);
	assert.deepEqual(await brief('home.hero', { targetingKey: one, plan: 'pro' }), [{ headline: 'For pros' }, 'pro', 'TARGETING_MATCH']);
	assert.deepEqual(await brief('home.hero', { targetingKey: one, userId: 'u-7' }), [{ headline: 'Good to see you' }, 'customer', 'TARGETING_MATCH']);
	assert.deepEqual(await brief('home.hero', { targetingKey: one, page: { url: 'https://shop.example/sale' } }), [{ headline: 'Sale' }, 'sale', 'TARGETING_MATCH']);
	assert.deepEqual(await brief('home.hero', { targetingKey: one, page: 'https://shop.example/sale' }), [{ headline: 'Sale' }, 'sale', 'TARGETING_MATCH']);
	await shop.send('track', event({ anonymousId: one }));
	assert.deepEqual(await brief('home.hero', { targetingKey: one }), [{ headline: 'Boots', sizes: [41, 42] }, 'boots', 'TARGETING_MATCH']);
	assert.deepEqual(await brief('home.strip', { targetingKey: one }), [[{ text: 'Open until ten' }], 'everywhere', 'TARGETING_MATCH'], 'a slot of several is a list');
	assert.deepEqual(await brief('home.several', { targetingKey: one }), [[{ text: 'One for all' }], 'default', 'DEFAULT']);
	assert.deepEqual(await brief('home.few', { targetingKey: one }), [[], 'default', 'DEFAULT']);
	assert.deepEqual(await brief('home.nothing', { targetingKey: one }), [{}, 'default', 'DEFAULT']);
	assert.deepEqual(await brief('home/odd key "1"', { targetingKey: one }), [{ n: 7 }, 'default', 'DEFAULT']);
	assert.deepEqual(await brief('back.office', { targetingKey: one }), [{ key: 'inside' }, 'default', 'DEFAULT']);
	const halves = await Promise.all(Array.from({ length: 40 }, (_, i) => brief('home.half', { targetingKey: `visitor-of-half-${i}` })));
	assert.deepEqual(new Set(halves.map((h) => JSON.stringify(h))), new Set(['[{"half":true},"half","SPLIT"]', '[{},"default","DEFAULT"]']));
	const { flagMetadata } = await evaluate('home.hero', { targetingKey: one });
	assert.match(flagMetadata.decisionId, /^[0-9a-f-]{36}$/);
	// The same by hand: only who asks for them gets the details.
	const decided = async (more) => (await shop.decide({ anonymousId: one, slots: ['home.strip', 'home.hero'], ...more }, bearer(secret))).body.decisions;
	assert.deepEqual([(await decided({ details: true }))['home.strip'].list, (await decided({ details: true }))['home.hero'].list, (await decided())['home.strip'].list], [true, undefined, undefined]);
	assert.notEqual((await evaluate('home.hero', { targetingKey: one })).flagMetadata.decisionId, flagMetadata.decisionId, 'each is an answer of its own');
});

test('the server provider: what cannot be evaluated is the caller\'s default, with a code', async (t) => {
	const shop = await serveFlags(t);
	const evaluate = await client(t, shop), withWriteKey = await client(t, shop, write), withoutKey = await client(t, shop, 'no-key-of-this-shop');
	const code = async (how, ...args) => { const d = await how(...args); assert.deepEqual(d.value, { none: 1 }); return d.errorCode; };
	assert.equal(await code(evaluate, 'home.hero'), 'TARGETING_KEY_MISSING');
	assert.equal(await code(evaluate, 'home.here', { targetingKey: one }), 'FLAG_NOT_FOUND');
	assert.equal(await code(withWriteKey, 'back.office', { targetingKey: one }), 'FLAG_NOT_FOUND');
	assert.equal(await code(withWriteKey, 'home.hero', { targetingKey: 'short' }), 'INVALID_CONTEXT');
	assert.equal(await code(withoutKey, 'home.hero', { targetingKey: one }), 'GENERAL');
	// What is public proves nothing: no traits, and nobody's account.
	assert.deepEqual((await withWriteKey('home.hero', { targetingKey: one, plan: 'pro', userId: 'u-7' })).value, { headline: 'Welcome' });
	assert.deepEqual((await withWriteKey('home.hero', { targetingKey: one, userId: 'u-7', userHash: userHash('u-7') })).value, { headline: 'Good to see you' });
});

test('metadata says that a visitor is held out, and that history was not to be had', async (t) => {
	const held = await client(t, await serveFlags(t, { holdout: 100 }));
	const { value, reason, flagMetadata } = await held('home.hero', { targetingKey: one, plan: 'pro' });
	assert.deepEqual([value, reason, flagMetadata.holdout, flagMetadata.degraded], [{ headline: 'Welcome' }, 'DEFAULT', true, undefined]);
	const redis = await startRedis(t);
	const evaluate = await client(t, await serveFlags(t, { store: redis.unixUrl() }));
	const pro = async () => { const d = await evaluate('home.hero', { targetingKey: one, plan: 'pro' }); return [d.variant, d.flagMetadata.holdout, d.flagMetadata.degraded]; };
	assert.deepEqual(await pro(), ['pro', undefined, undefined]);
	await redis.stop();
	await until(async () => (await pro())[2], { what: 'the store is away' });
	assert.deepEqual(await pro(), ['pro', undefined, true], 'what needs no history goes on');
});

test('under a cap each evaluation takes a place', async (t) => {
	const capped = rules.replace('rule "sale" {', 'cap "two" { applies = { tag = "few" }, limit = 2, per = "1d" }\nrule "sale" { tags = { "few" },');
	const shop = await servePeople(t, { files: { 'shop/home.lua': capped } });
	const evaluate = await client(t, shop);
	const context = { targetingKey: one, page: 'https://shop.example/sale' };
	const variants = [];
	for (let i = 0; i < 3; i++) variants.push((await evaluate('home.hero', context)).variant);
	assert.deepEqual(variants, ['sale', 'sale', 'default']);
});

test('after a 429 the server provider asks again when it may', async (t) => {
	const shop = await serveFlags(t, { workers: 1, limits: { per_key_s: 2 } });
	const proxy = await startProxy(t, shop.url);
	const evaluate = await client(t, { url: proxy.url }, write);
	const value = async () => (await evaluate('home.hero', { targetingKey: one })).value;
	for (let i = 0; i < 100 && !(await value()).none; i++);
	const { outcome } = proxy.seen.at(-1), asked = proxy.seen.length;
	assert.deepEqual([outcome, await value(), proxy.seen.length], [429, { none: 1 }, asked], 'nothing but the default, without asking');
	await until(async () => (await value()).headline === 'Welcome', { what: 'it asks again' });
});

const flags = (shop, body, headers = {}, key = secret, flag = '') => ask(`${shop.url}/ofrep/v1/evaluate/flags${flag}`, body, { method: 'POST', headers: { ...bearer(key).headers, ...headers } });

test('all flags: the tag is that of the answer, and of nothing else', async (t) => {
	const shop = await serveFlags(t);
	const body = { context: { targetingKey: one, page: { url: 'https://shop.example/' } } };
	const first = await flags(shop, body, {}, write);
	assert.deepEqual(first.body.flags.map(({ key }) => key).sort(), ['home.few', 'home.half', 'home.hero', 'home.nothing', 'home.several', 'home.strip', 'home/odd key "1"']);
	assert.ok(first.body.flags.every(({ metadata }) => metadata.decisionId === first.body.metadata.decisionId));
	assert.deepEqual(first.body.eventStreams.map(({ type, inactivityDelaySec }) => [type, inactivityDelaySec]), [['sse', 120]]);
	const tag = first.headers.get('etag');
	assert.match(tag, /^"[0-9a-f]{32}"$/);
	const again = await flags(shop, body, { 'if-none-match': `"other", ${tag}` }, write);
	assert.deepEqual([again.status, again.body, again.headers.get('etag')], [304, '', tag]);
	assert.equal((await flags(shop, body, { 'if-none-match': '"other"' }, write)).status, 200);
	assert.notEqual((await flags(shop, { context: { ...body.context, page: { url: 'https://shop.example/sale' } } }, {}, write)).headers.get('etag'), tag);
	await shop.send('track', event({ anonymousId: one }));
	const after = await flags(shop, body, { 'if-none-match': tag }, write);
	assert.deepEqual([after.status, after.body.flags.find(({ key }) => key === 'home.hero').variant], [200, 'boots']);
	const all = (await flags(shop, body)).body;
	assert.ok(all.flags.some(({ key }) => key === 'back.office'), 'with a secret key all of them');
	assert.equal(all.eventStreams, undefined, 'but none is written into an address');
	const long = await flags(shop, { context: { ...body.context, page: { url: `https://shop.example/${'x'.repeat(4000)}` } } }, {}, write);
	assert.deepEqual([long.status, long.body.eventStreams], [200, undefined], 'nor is what no address has room for');
});

test('all flags under a cap: whoever has them, by the tag or the stream, takes no further place', async (t) => {
	const capped = rules.replace('rule "sale" {', 'cap "one" { applies = { tag = "few" }, limit = 1, per = "1d" }\nrule "sale" { tags = { "few" },');
	const shop = await servePeople(t, { files: { 'shop/home.lua': capped } });
	const body = { context: { targetingKey: one, page: 'https://shop.example/sale' } };
	const variant = (answer) => answer.body.flags.find(({ key }) => key === 'home.hero').variant;
	const first = await flags(shop, body, {}, write), tag = first.headers.get('etag');
	assert.equal(variant(first), 'sale');
	assert.match(tag, /^"[0-9a-f]{32}\.[0-9a-f]{12}-[0-9a-f]{16}"$/);
	const again = await flags(shop, body, { 'if-none-match': tag }, write);
	assert.deepEqual([again.status, again.headers.get('etag')], [304, tag]);
	assert.equal(variant(await flags(shop, body, {}, write)), 'default', 'another page has no place');
	const stream = await openStream(shop.url + first.body.eventStreams[0].endpoint.requestUri);
	await until(() => stream.id, { what: 'the stream has an id' });
	assert.equal(stream.events.length, 0, 'nothing is new');
	await shop.send('track', event({ anonymousId: one, event: 'Promotion Viewed', properties: { promotion_id: 'sale' } }));
	await shop.send('track', event({ anonymousId: one }));
	assert.deepEqual(await stream.next(), { type: 'refetchEvaluation' });
	assert.equal(stream.events.length, 1);
	stream.close();
	for (const [query, status] of [['', 401], [`writeKey=${write}`, 400], [`writeKey=${write}&context=7`, 400], [`writeKey=${write}&context=%7B%7D`, 400], [`writeKey=${write}&context=${encodeURIComponent(JSON.stringify({ targetingKey: one }))}&shown=x`, 400]])
		assert.equal((await openStream(`${shop.url}/ofrep/v1/stream?${query}`)).status, status, query);
});

test('what is no evaluation is refused as the protocol says', async (t) => {
	const shop = await serveFlags(t);
	const refused = async (body, flag) => { const { status, body: b } = await flags(shop, body, {}, secret, flag); return [status, b.key, b.errorCode]; };
	for (const body of ['', '{', '[]', '"x"', '{"context":{"targetingKey":"a"}', '{"context":{"a":"\\u12"}}', `{"context":${'['.repeat(70)}${']'.repeat(70)}}`, '{"context":{"n":01}}', '{"context":{"targetingKey":"visitor-000000001","t":"\u0007"}}'])
		assert.deepEqual(await refused(body, '/home.hero'), [400, 'home.hero', 'PARSE_ERROR'], body);
	assert.deepEqual(await refused({ context: [] }, '/home.hero'), [400, 'home.hero', 'INVALID_CONTEXT']);
	assert.deepEqual(await refused({ context: { targetingKey: 7 } }, ''), [400, undefined, 'INVALID_CONTEXT']);
	assert.deepEqual(await refused({ context: { targetingKey: 'x'.repeat(201) } }, ''), [400, undefined, 'INVALID_CONTEXT']);
	assert.deepEqual(await refused({}, ''), [400, undefined, 'TARGETING_KEY_MISSING']);
	assert.deepEqual(await refused({ context: { targetingKey: '' } }, '/a"b'), [400, 'a"b', 'TARGETING_KEY_MISSING']);
	assert.deepEqual(await refused({ context: { targetingKey: one } }, '/no.such'), [404, 'no.such', 'FLAG_NOT_FOUND']);
	// Whatever an attribute is, it stays in its place.
	const { status, body } = await flags(shop, `{ "more": 1, "context" : { "plan": {"deep":[1,{"a":"\\"}"}]}, "targetingKey" :"${one}", "x\\"y":null } }`, {}, secret, '/home.hero');
	assert.deepEqual([status, body.value], [200, { headline: 'Welcome' }]);
	assert.equal((await ask(`${shop.url}/ofrep/v1/evaluate/flags`, undefined)).status, 405);
	assert.equal((await ask(`${shop.url}/ofrep/v1/evaluate/flags`, {})).status, 401);
});

test('the code that the guide shows, on a server', async (t) => {
	const shown = shownUnder(readFileSync(join(tree, 'core/README.md'), 'utf8'), 'OpenFeature', 'js');
	const { dependencies } = JSON.parse(readFileSync(join(tree, 'tests/system/package.json'), 'utf8'));
	const named = [...shown.matchAll(/@openfeature\/[\w-]+/g)].map(([name]) => name);
	assert.deepEqual([named.length, named.filter((name) => !dependencies[name])], [4, []], 'the packages are those of these tests');
	const shop = await serveFlags(t);
	const text = shown.replace('http://127.0.0.1:8080', shop.url);
	assert.notEqual(text, shown);
	t.after(() => OpenFeature.clearProviders());
	const AsyncFunction = (async () => {}).constructor;
	const hero = await new AsyncFunction('OpenFeature', 'OFREPProvider', 'anonymousId', `${text}\nreturn hero;`)(OpenFeature, OFREPProvider, one);
	assert.deepEqual(hero, { headline: 'For pros' });
});

// A page in Chromium that has the web SDK: { page, origin }.
async function sdkPage(t) {
	const bundle = buildSync({
		stdin: { contents: "export { OpenFeature } from '@openfeature/web-sdk'; export { OFREPWebProvider } from '@openfeature/ofrep-web-provider';", resolveDir: join(tree, 'tests/system') },
		bundle: true, format: 'iife', globalName: 'sdk', write: false, platform: 'browser',
	}).outputFiles[0].text;
	const server = createServer((req, res) => (req.url === '/sdk.js' ? res.setHeader('content-type', 'text/javascript').end(bundle)
		: res.setHeader('content-type', 'text/html').end('<!doctype html><title>Shop</title><script src="/sdk.js"></script>')));
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	const origin = `http://localhost:${server.address().port}`;
	const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', `--user-agent=${chrome}`] });
	t.after(async () => { await browser.close(); server.closeAllConnections(); server.close(); });
	const page = await browser.newPage();
	await page.goto(`${origin}/`);
	return { page, origin };
}

test('the web provider, in Chromium: flags from memory, told of what changes', async (t) => {
	const { page, origin } = await sdkPage(t);
	const shop = await serveFlags(t, { cors: [origin] });
	const proxy = await startProxy(t, shop.url);
	const details = await page.evaluate(async ([baseUrl, key, targetingKey]) => {
		const { OpenFeature, OFREPWebProvider } = window.sdk;
		await OpenFeature.setContext({ targetingKey, page: { url: 'https://shop.example/' } });
		await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl, headers: [['Authorization', `Bearer ${key}`]], pollInterval: 200, changeDetection: 'polling' }));
		window.client = OpenFeature.getClient();
		window.changes = 0;
		OpenFeature.addHandler('PROVIDER_CONFIGURATION_CHANGED', () => { window.changes++; });
		return ['home.hero', 'home.strip', 'home.nothing', 'back.office'].map((flag) => window.client.getObjectDetails(flag, { none: 1 }));
	}, [proxy.url, write, one]);
	assert.deepEqual(details.map(({ value, variant, reason, errorCode }) => [value, variant, reason, errorCode]), [
		[{ headline: 'Welcome' }, 'default', 'DEFAULT', undefined],
		[[{ text: 'Open until ten' }], 'everywhere', 'TARGETING_MATCH', undefined],
		[{}, 'default', 'DEFAULT', undefined],
		[{ none: 1 }, undefined, 'ERROR', 'FLAG_NOT_FOUND'],
	]);
	assert.match(details[0].flagMetadata.decisionId, /^[0-9a-f-]{36}$/);
	await until(() => proxy.seen.filter((r) => r.method === 'POST' && r.outcome === 304 && r.headers['if-none-match']).length >= 2, { what: 'polls are answered with 304' });
	assert.equal(await page.evaluate(() => window.changes), 0);
	await shop.send('track', event({ anonymousId: one }));
	await page.waitForFunction(() => window.changes === 1 && window.client.getObjectValue('home.hero', {}).headline === 'Boots');
	await page.evaluate(() => window.sdk.OpenFeature.setContext({ targetingKey: 'visitor-000000002', page: { url: 'https://shop.example/sale' } }));
	assert.equal(await page.evaluate(() => window.client.getObjectValue('home.hero', {}).headline), 'Sale');
	// A busy server is waited for, and what was known stays.
	proxy.plan.push({ status: 429, headers: { 'retry-after': '1' } });
	await until(() => proxy.plan.length === 0);
	assert.equal(await page.evaluate(() => window.client.getObjectValue('home.hero', {}).headline), 'Sale');
	const polls = proxy.seen.length;
	await until(() => proxy.seen.slice(polls).some((r) => r.outcome === 304), { what: 'it goes on' });
});

test('the web provider, in Chromium: it asks again when it hears that it should, and not before', async (t) => {
	const { page, origin } = await sdkPage(t);
	const shop = await serveFlags(t, { cors: [origin] });
	const asked = async () => Number((await metrics(shop)).floorwalker_web_ofrep_requests_total);
	const headline = () => page.evaluate(() => window.client.getObjectValue('home.hero', {}).headline);
	await page.evaluate(async ([baseUrl, key, targetingKey]) => {
		const { OpenFeature, OFREPWebProvider } = window.sdk;
		await OpenFeature.setContext({ targetingKey, page: { url: 'https://shop.example/' } });
		await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl, headers: [['Authorization', `Bearer ${key}`]] }));
		window.client = OpenFeature.getClient();
		window.heard = [];
		for (const name of ['PROVIDER_CONFIGURATION_CHANGED', 'PROVIDER_STALE', 'PROVIDER_ERROR']) OpenFeature.addHandler(name, () => window.heard.push(name));
	}, [shop.url, write, one]);
	assert.equal(await headline(), 'Welcome');
	await until(async () => Number((await metrics(shop)).floorwalker_streams) === 1, { what: 'it listens' });
	// Somebody else's events are none of its business.
	await shop.send('track', event({ anonymousId: 'visitor-000000009' }));
	await new Promise((done) => setTimeout(done, 300));
	assert.equal(await asked(), 1);
	await shop.send('track', event({ anonymousId: one }));
	await page.waitForFunction(() => window.client.getObjectValue('home.hero', {}).headline === 'Boots');
	assert.deepEqual([await asked(), await page.evaluate(() => window.heard)], [2, ['PROVIDER_CONFIGURATION_CHANGED']]);
	// Other rules: the stream is handed over, and then it asks.
	shop.write({ 'shop/home.lua': rules.replace('headline = "Boots"', 'headline = "Other boots"') });
	assert.equal((await shop.reloadAside()).status, 0);
	await page.waitForFunction(() => window.client.getObjectValue('home.hero', {}).headline === 'Other boots');
	assert.ok(!(await page.evaluate(() => window.heard)).includes('PROVIDER_ERROR'));
});
