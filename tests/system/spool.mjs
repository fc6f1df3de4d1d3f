// A shop with a spool: what is sent while its store is away is held by the node.

import { assertStored } from './acknowledged.mjs';
import { ask } from './daemon.mjs';
import { openShop } from './faults.mjs';
import { metrics, quick, until } from './server.mjs';

export const limits = { ...quick, drain_ms: 20000 };

export async function spoolShop(t, store, config = {}) {
	const shop = await openShop(t, { config: { store, spool: 'spool', limits, ...config } });
	const spool = async () => (await ask(`${shop.url()}/readyz?verbose`)).body.spool;
	return Object.assign(shop, {
		held: async () => (await spool()).events,
		emptied: async () => {
			const seen = [];
			await until(async () => {
				const { events: held, oldestSeconds } = await spool();
				if (seen.at(-1) !== held) seen.push(held);
				return held === 0 && oldestSeconds === 0;
			}, { what: 'nothing is held', seconds: 60 }).catch((error) => {
				throw new Error(`${error.message}; held were ${seen.slice(0, 5)} … ${seen.slice(-20)}\n${shop.daemon.log().slice(-4000)}`);
			});
		},
		metrics: () => metrics({ url: shop.url() }),
		post: (events) => ask(`${shop.url()}/v1/batch`, { batch: events }),
	});
}

// Each worker finds its way back by itself, a moment sooner or later.
const eventually = (check) => until(() => check().then(() => true, (error) => {
	if (!/: 503 /.test(error.message)) throw error;
	return false;
}), { what: 'all workers have found Redis again' });
export const stored = (shop, sent, what) => eventually(() => assertStored(shop.url(), sent, what));
