// What a visitor lets be done: it counts from the next decision on, on every worker; what is refused is not written; what is
// withdrawn is dropped; and nobody speaks for another.

import assert from 'node:assert/strict';
import { long } from './daemon.mjs';
import { bearer, event, secret, servePeople, until, write } from './people.mjs';
import { askFresh } from './server.mjs';
import { bytesInStore, test, testEverywhere } from './stores.mjs';

const optIn = { default: { analytics: 'denied', personalization: 'denied' }, region: { US: { analytics: 'granted', personalization: 'granted', sale: 'granted' } } };
const rules = `slot "consent" { channel = "web", default = { is = "none" } }
rule "personal" { slot = "consent", priority = 3, when = { consent = "personalization" }, show = { is = "personal" } }
slot "mail" { channel = "web", default = { is = "none" } }
rule "mailed" { slot = "mail", when = { consent = "email" }, show = { is = "mailed" } }
slot "kept" { channel = "web", default = { is = "none" } }
rule "known" { slot = "kept", priority = 2, when = { visits = known() }, show = { is = "known" } }
rule "unknown" { slot = "kept", priority = 1, when = { visits = unknown() }, show = { is = "unknown" } }
slot "cart" { channel = "web", default = { is = "none" } }
rule "full" { slot = "cart", when = { cart = { items = at_least(1) } }, show = { is = "full" } }
`;

async function shopOf(t, consent, more = {}) {
	const shop = await servePeople(t, { config: { consent, ...more }, files: { 'shop/consent.lua': rules } });
	const slots = ['consent', 'mail', 'kept', 'cart'];
	const told = (status, text) => assert.equal(status, 200, text);
	return Object.assign(shop, {
		say: (id, body, key = secret) => shop.ask(`/v1/visitors/${encodeURIComponent(id)}/consent`, body, { method: 'POST', ...bearer(key) }),
		// What each slot shows a visitor, over a connection of its own.
		shows: async (who, context = {}, headers = {}) => {
			const { status, text } = await askFresh(`${shop.url}/v1/decide`, { ...who, slots, context }, { authorization: `Bearer ${secret}`, ...headers });
			told(status, text);
			return Object.values(JSON.parse(text).decisions).map((d) => d.content.is).join(' ');
		},
		track: async (fields) => told((await shop.send('track', event(fields))).status),
	});
}

const inUs = { location: { country: 'US' } };
const inGermany = { location: { country: 'DE' } };
const categories = (categoryPreferences) => ({ consent: { categoryPreferences } });

test('what the request tells, then what the person said, then the place', async (t) => {
	const shop = await shopOf(t, optIn);
	const anonymousId = 'visitor-in-order-1', who = { anonymousId };
	await shop.track({ anonymousId, context: inUs });
	assert.equal(await shop.shows(who, inUs), 'personal none known none');
	assert.equal(await shop.shows(who, inGermany), 'none none none none', 'visits are out of reach: neither known nor unknown');
	assert.equal(await shop.shows(who), 'none none none none', 'nobody knows where');
	assert.equal(await shop.shows(who, inUs, { 'sec-gpc': '1' }), 'none none known none', 'the signal takes personalization away');
	assert.equal(await shop.shows(who, { ...inUs, globalPrivacyControl: true }), 'none none known none');
	assert.equal(await shop.shows(who, { ...inGermany, ...categories({ analytics: true, personalization: true, email: true }) }), 'personal none known none');
	assert.equal(await shop.shows(who, { ...inUs, ...categories({ analytics: true }) }), 'none none known none');

	assert.deepEqual((await shop.say(`anonymous:${anonymousId}`, { grant: ['personalization', 'email'], source: 'preference-centre', text: 'v7' })).body, { consent: ['email', 'personalization'] });
	assert.equal(await shop.shows(who, inGermany), 'personal mailed none none', 'each purpose for itself');
	assert.equal(await shop.shows(who, inGermany, { 'sec-gpc': '1' }), 'none mailed none none');
	assert.equal(await shop.shows(who, { ...inUs, ...categories({ analytics: true }) }), 'none mailed known none', 'channels are the person\'s');
	assert.deepEqual((await shop.say(`anonymous:${anonymousId}`, { withdraw: ['Email'], deny: ['analytics'] })).body, { consent: ['personalization'] });
	assert.equal(await shop.shows(who, inUs), 'personal none none none');
	const { consent, consentLog } = await shop.visitor(`anonymous:${anonymousId}`);
	assert.deepEqual(Object.entries(consent).map(([what, { state, source, text }]) => [what, state, source, text]), [
		['analytics', 'denied', 'api', undefined], ['email', 'withdrawn', 'api', undefined], ['personalization', 'granted', 'preference-centre', 'v7'],
	]);
	assert.deepEqual(consentLog.map(({ what, state }) => `${what} ${state}`).sort(), ['analytics denied', 'email granted', 'email withdrawn', 'personalization granted']);
	for (const { at } of [...consentLog, ...Object.values(consent)]) assert.ok(Math.abs(Date.now() - Date.parse(at)) < 60_000, at);
});

testEverywhere('it counts from the next decision on, on every worker', async (t) => {
	const shop = await shopOf(t, optIn, { workers: 2 });
	const anonymousId = 'visitor-of-every-worker', who = { anonymousId };
	const all = async (n = 12) => new Set(await Promise.all(Array.from({ length: n }, () => shop.shows(who))));
	for (let round = 0; round < (long ? 100 : 5); round++) {
		await shop.say(`anonymous:${anonymousId}`, { grant: ['personalization', 'analytics'] }, write);
		assert.deepEqual([...await all()], ['personal none known none']);
		if (round % 2) await shop.track({ anonymousId, context: categories({}) });
		else await shop.say(`anonymous:${anonymousId}`, { withdraw: ['personalization', 'analytics'] }, write);
		assert.deepEqual([...await all()], ['none none none none']);
	}
});

// Texts of the record are packed; those of other letters than Latin ones stand there as they are.
const stands = (bytes, text) => bytes.includes(Buffer.from(text).toString('latin1'));
const journey = (who, name, context) => [
	{ type: 'page', name: `кафе ${name}`, ...who, context: { ...context, page: { url: `https://shop.example/${name}?utm_source=другие&utm_medium=cpc&utm_campaign=акция-${name}` } } },
	{ type: 'page', ...who, context: { ...context, page: { path: `/путь-${name}` } } },
	event({ ...who, context, properties: { product_id: `товар-${name}`, category: `раздел-${name}`, brand: `марка-${name}` } }),
	event({ ...who, context, event: 'Products Searched', properties: { query: `поиск-${name}` } }),
	event({ ...who, context, event: 'Promotion Clicked', properties: { promotion_id: `баннер-${name}` } }),
	event({ ...who, context, event: 'Product Added', properties: { product_id: `корзина-${name}`, price: 5 } }),
	event({ ...who, context, event: 'Order Completed', properties: { order_id: `заказ-${name}`, revenue: 5 } }),
	event({ ...who, context, event: 'Product Added', properties: { product_id: `корзина-${name}`, price: 5 } }),
].map((e, i) => ({ ...e, timestamp: new Date(Date.now() - 1000 + 100 * i).toISOString() }));
const traces = (name) => [`кафе ${name}`, `акция-${name}`, `/путь-${name}`, `товар-${name}`, `раздел-${name}`, `марка-${name}`, `поиск-${name}`, `баннер-${name}`];

test('who refused is not in the store beyond the necessary', async (t) => {
	const shop = await shopOf(t, optIn);
	const tracked = async (who, name, context) => assert.equal((await shop.send('batch', { batch: journey(who, name, context) })).body.accepted, 8);
	await tracked({ anonymousId: 'visitor-who-agreed-1' }, 'yes', categories({ analytics: true }));
	await tracked({ anonymousId: 'visitor-who-refused' }, 'no', categories({ analytics: false }));
	await tracked({ anonymousId: 'visitor-of-the-place' }, 'default', inGermany);
	await shop.say('anonymous:visitor-who-said-so', { deny: ['analytics'] }, write);
	await tracked({ anonymousId: 'visitor-who-said-so' }, 'before', inUs); // where the place would allow it
	assert.equal(await shop.shows({ anonymousId: 'visitor-who-said-so' }, inUs), 'personal none none full', 'the cart goes on');
	const visitor = await shop.visitor('anonymous:visitor-who-said-so');
	assert.deepEqual([visitor.orders.length, visitor.facts.orders, visitor.facts.revenue, visitor.facts.cart.items], [1, 1, 5, 1]);
	assert.deepEqual([visitor.facts.visits, visitor.facts.viewed, visitor.firstTouch], [undefined, {}, undefined]);
	assert.deepEqual(await shop.timeline('anonymous:visitor-who-said-so'), []);
	await shop.daemon.stop();
	const bytes = bytesInStore(shop);
	// What is looked for is found where it was kept.
	const found = (name) => traces(name).filter((text) => stands(bytes, text));
	assert.deepEqual(found('yes'), traces('yes'));
	for (const name of ['no', 'default', 'before']) {
		assert.deepEqual(found(name), [], name);
		assert.ok(stands(bytes, `корзина-${name}`) && stands(bytes, `заказ-${name}`), name);
	}
});

test('a withdrawal drops what was kept, and nothing comes back', async (t) => {
	const shop = await shopOf(t, optIn);
	const anonymousId = 'visitor-who-withdraws', id = `anonymous:${anonymousId}`, who = { anonymousId };
	const total = async () => (await shop.visitor(id)).facts.viewed.total;
	const agreed = categories({ analytics: true });
	assert.equal((await shop.send('batch', { batch: journey(who, 'one', agreed) })).body.accepted, 8);
	assert.equal(await total(), 1);
	const late = event({ ...who, timestamp: new Date(Date.now() - 2000).toISOString() });
	await shop.say(id, { withdraw: ['analytics'] }, write);
	const visitor = await shop.visitor(id);
	assert.deepEqual([visitor.facts.viewed, visitor.facts.visits, visitor.facts.affinity, visitor.firstTouch, visitor.facts.cart.items], [{}, undefined, [], undefined, 1]);
	assert.deepEqual(await shop.timeline(id), []);
	await shop.track({ ...who, context: inUs });
	assert.equal(await total(), undefined);
	await shop.say(id, { grant: ['analytics'] }, write);
	assert.equal(await total(), 0);
	assert.equal((await shop.send('batch', { batch: [late] })).body.accepted, 1);
	assert.equal(await total(), 0, 'it happened before the grant');
	await until(async () => { await shop.track(who); return (await total()) > 0; }, { what: 'what happens from now on counts' });
	// One event among others that says no.
	const before = await total();
	await shop.track({ ...who, context: categories({ marketing: true }) });
	assert.equal(await total(), before);
});

test('events say it too, and the same message once', async (t) => {
	const shop = await shopOf(t, undefined);
	const id = 'user-who-tells', view = async () => Object.fromEntries(Object.entries((await shop.visitor(id)).consent).map(([what, { state, source }]) => [what, `${state} ${source}`]));
	const grant = event({ userId: id, anonymousId: undefined, event: 'Segment Consent Preference Updated', context: categories({ analytics: true, Ads: false, email: true }) });
	assert.equal((await shop.send('track', grant)).status, 200);
	assert.deepEqual(await view(), { ads: 'denied preferences', analytics: 'granted preferences', email: 'granted preferences' });
	await shop.send('identify', { userId: id, traits: { plan: 'pro' } });
	assert.deepEqual(await view(), { ads: 'denied preferences', analytics: 'granted preferences', email: 'granted preferences' }, 'no word of it, no change');
	await shop.send('identify', { userId: id, context: categories({}) });
	assert.deepEqual(await view(), { ads: 'denied preferences', analytics: 'denied event', email: 'granted preferences', personalization: 'denied event' });
	assert.equal((await shop.send('track', grant)).status, 200);
	assert.equal((await view()).analytics, 'denied event', 'a message that was applied is not applied again');
	// Of channels a write key says nothing, whatever it sends.
	const anonymousId = 'visitor-of-a-write-key';
	await shop.send('track', event({ anonymousId, userId: id, context: categories({ email: true, 'sms:news': true, analytics: true }) }), { key: write });
	assert.deepEqual(Object.keys((await shop.visitor(`anonymous:${anonymousId}`)).consent), ['analytics']);
	assert.equal((await view()).analytics, 'denied event');
});

test('nobody speaks for another', async (t) => {
	const shop = await shopOf(t, optIn);
	const own = 'anonymous:visitor-of-sixteen', refused = [
		[own, { grant: ['email'] }, 403, /channels/], [own, { withdraw: ['SMS'] }, 403, /channels/], [own, { grant: ['push:news'] }, 403, /channels/],
		['user-7', { grant: ['analytics'] }, 403, /own anonymousId/], ['user:user-7', { withdraw: ['analytics'] }, 403, /own anonymousId/],
		['anonymous:short', { grant: ['analytics'] }, 403, /16 bytes/],
	];
	for (const [id, body, status, message] of refused) {
		const answer = await shop.say(id, body, write);
		assert.equal(answer.status, status, JSON.stringify(answer.body));
		assert.equal(answer.body.error.code, 'forbidden');
		assert.match(answer.body.error.message, message);
		assert.ok(answer.body.error.hint);
		assert.equal((await shop.known('', id)).status, 404, 'and nothing was written');
	}
	assert.equal((await shop.ask(`/v1/visitors/${own}/consent`, { grant: ['analytics'] })).status, 401);
	assert.deepEqual((await shop.say(own, { grant: ['analytics'], writeKey: write }, write)).body, { consent: ['analytics'] });
	assert.deepEqual((await shop.say('user-7', { grant: ['sms', 'analytics'] })).body, { consent: ['analytics', 'sms'] });
	assert.deepEqual((await shop.say('anonymous:short', { grant: ['email:news'] })).body, { consent: ['email:news'] });
});

test('what is wrong is said', async (t) => {
	const shop = await shopOf(t, optIn);
	const wrong = [
		['{', 400, 'bad_json'], ['[]', 400, /no object/, /grant/], [{}, 400, /nothing is granted/], [{ grant: [] }, 400, /nothing is granted/],
		[{ grnt: ['email'] }, 400, /no such member/, /did you mean "grant"/], [{ consent: ['email'] }, 400, /no such member/, /grant, deny, withdraw/],
		[{ grant: 'email' }, 400, /a list/], [{ grant: [''] }, 400, /1 to 64 bytes/], [{ grant: [7] }, 400, /1 to 64 bytes/], [{ grant: ['x'.repeat(65)] }, 400, /1 to 64 bytes/],
		[{ grant: Array.from({ length: 65 }, (_, i) => `p${i}`) }, 400, /too many/], [{ grant: ['email'], withdraw: ['Email'] }, 400, /both/],
		[{ grant: ['email'], source: 7 }, 400, /at most 64 bytes/], [{ grant: ['email'], source: 'x'.repeat(65) }, 400, /at most 64 bytes/],
		[{ grant: ['email'], text: 'x'.repeat(101) }, 400, /at most 100 bytes/], [{ grant: ['email'], at: 'yesterday' }, 400, /no time/], [{ grant: ['email'], at: '1960-01-01' }, 400, /1970/],
	];
	for (const [body, status, message, hint] of wrong) {
		const answer = await shop.say('user-wrong', body);
		assert.equal(answer.status, status, JSON.stringify([body, answer.body]));
		if (message === 'bad_json') assert.equal(answer.body.error.code, message);
		else assert.match(answer.body.error.message, message, JSON.stringify(body));
		if (hint) assert.match(answer.body.error.hint, hint);
	}
	assert.equal((await shop.known('', 'user-wrong')).status, 404);
	assert.equal((await shop.ask('/v1/visitors/user-wrong', { grant: ['email'] }, bearer(secret))).status, 404);
	assert.equal((await shop.ask('/v1/visitors/user-wrong/timeline', {}, bearer(secret))).status, 404);
	// A time that is to come is now; one that is past finds its place.
	await shop.say('user-when', { grant: ['email'], at: new Date(Date.now() + 3_600_000).toISOString() });
	assert.ok(Date.parse((await shop.visitor('user-when')).consent.email.at) <= Date.now());
	assert.deepEqual((await shop.say('user-when', { withdraw: ['email'], at: '2026-01-02T03:04:05.600Z', source: 'call' })).body, { consent: ['email'] }, 'a grant that came later holds');
	assert.deepEqual((await shop.visitor('user-when')).consentLog.at(-1), { what: 'email', state: 'withdrawn', at: '2026-01-02T03:04:05Z', source: 'call' });
});
