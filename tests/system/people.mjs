// A shop that remembers its visitors, served; for the tests of events and of who is asking.

import { createHmac } from 'node:crypto';
import { ask } from './daemon.mjs';
import { runAside, serve, until } from './server.mjs';
import { storeOf } from './stores.mjs';

export const secret = 'sk-0123456789abcdef';
export const write = 'wk-0123456789abcdef';
export const keys = { write: [write], secret: [secret], identity: 'identity-key' };
export const bearer = (key) => ({ headers: { authorization: `Bearer ${key}` } });
export const userHash = (userId) => createHmac('sha256', keys.identity).update(userId).digest('hex');

// The slot "seen" says how often the visitor has viewed product p-1, up to 300.
const rules = `slot "seen" { channel = "web", default = { n = 0 } }
for n = 1, 300 do
  rule("seen-" .. n) { slot = "seen", priority = n, when = { viewed = { product = "p-1", at_least = n } }, show = { n = n } }
end
`;

export const consent = { default: { analytics: 'granted', personalization: 'granted' } };

export async function servePeople(t, { config = {}, files = {}, ...more } = {}) {
	const shop = await serve(t, { config: { keys, consent, store: config.store ?? await storeOf(t), ...config }, files: { 'shop/home.lua': rules, ...files }, ...more });
	return withPeople(shop);
}

export function withPeople(shop) {
	const known = (path, id) => ask(`${shop.url}/v1/visitors/${encodeURIComponent(id)}${path}`, undefined, bearer(secret));
	return Object.assign(shop, {
		send: (path, body, { key = secret, headers = {} } = {}) => ask(`${shop.url}/v1/${path}`, body, { method: 'POST', headers: { authorization: `Bearer ${key}`, ...headers } }),
		visitor: async (id) => (await known('', id)).body,
		timeline: async (id) => (await known('/timeline', id)).body.timeline,
		known,
		// How often p-1 was viewed, as a rule sees it.
		seen: async (who) => (await ask(`${shop.url}/v1/decide`, { ...who, slots: ['seen'] }, bearer(secret))).body.decisions.seen.content.n,
		// Sends SIGHUP and waits until the new generation serves, while this process goes on.
		reloadAside: () => runAside(['reload', '--config', shop.config]),
	});
}

let last = 0;
// An event of its own, with a messageId of its own.
export const event = (fields = {}) => ({ type: 'track', event: 'Product Viewed', messageId: `m-${process.pid}-${++last}`, anonymousId: 'visitor-000000001', properties: { product_id: 'p-1', category: 'boots' }, ...fields });

export { until };
