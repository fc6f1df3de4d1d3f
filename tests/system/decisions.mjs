// Rules that come to each outcome a decision of theirs may have, what is asked of them, and a shop that logs what it decides.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { secret, servePeople, until } from './people.mjs';
import { askFresh, metrics, runAside } from './server.mjs';

export const rules = (banner) => `slot "hero" { channel = "web", default = { banner = "plain" } }
slot "strip" { channel = "web", show_up_to = 2 }
slot "hidden" { channel = "api", public = false }
rule "boots" { slot = "hero", priority = 5, when = all { viewed = { category = "boots", at_least = 2 }, country = "CA" }, show = { banner = "${banner}" } }
rule "half" { slot = "hero", priority = 3, rollout = 50, show = { banner = "half" } }
rule "computed" { slot = "strip", when = function(v) return (v.cart.total or 0) > 10 or v.device == "desktop" end, show = function(v) return { n = v:viewed { category = "boots" } } end }
rule "fails" { slot = "strip", priority = 9, when = function(v) return v.traits.plan .. {} end, show = { n = -1 } }
rule "loops" { slot = "strip", priority = 8, when = function(v) while true do end end, show = { n = -2 } }
rule "pro" { slot = "strip", when = { traits = { plan = "про" } }, show = { n = 3 } }
rule "capped" { slot = "hidden", show = { is = "once" } }
rule "letter" { channel = "email", on = "Order Completed", class = "service", send = { text = "thank you" } }
cap "once-a-day" { applies = { rule = "capped" }, limit = 1, per = "1d" }
guard "no-ads" { applies = { rule = "pro" }, require = { consent = "personalization" }, because = "they did not agree" }
`;

export const slots = ['hero', 'strip', 'hidden'];
export const context = { ip: '1.2.3.4', userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0', locale: 'fr-CA', timezone: 'America/Toronto', location: { country: 'CA' },
	page: { url: 'https://shop.example/boots?q=1', type: 'category' }, campaign: { source: 'news', medium: 'email', name: 'winter' } };

// Asks, again where a store too busy to give the visitor's key in time kept the decision out of the log (which is counted): the answer to the
// one that is in the log. Nobody else decides meanwhile.
export async function askUntilLogged(shop, ask) {
	const counts = async () => {
		const all = await metrics(shop);
		return { written: all.floorwalker_decisions_logged_total, dropped: all['floorwalker_decisions_log_dropped_total{reason="key"}'] };
	};
	for (;;) {
		const before = await counts(), answer = await ask();
		const after = await until(async () => {
			const now = await counts();
			return now.written + now.dropped > before.written + before.dropped && now;
		}, { what: `a decision is in the log, beside ${before.written}, or counted as dropped` });
		if (after.written > before.written) return answer;
	}
}

// `ask` asks until it is in the log; `explained` tells of a decision from there.
export async function open(t, { config = {}, ...more } = {}) {
	const shop = await servePeople(t, { ...more, files: { 'shop/decisions.lua': rules('one'), ...more.files }, config: { workers: 2, decisions: { log: 'decisions', sample: 1 }, ...config } });
	const post = (path, body, key = secret) => askFresh(`${shop.url}/v1/${path}`, body, { authorization: `Bearer ${key}` });
	const explained = (id, ...args) => runAside(['explain', '--decision', id, '--config', shop.config, ...args]);
	const files = () => readdirSync(join(shop.folder, 'decisions')).filter((name) => name.endsWith('.decisions')).map((name) => join(shop.folder, 'decisions', name));
	return Object.assign(shop, {
		post, explained, files,
		count: async (name) => (await metrics(shop))[`floorwalker_decisions_${name}`],
		// The answer's text and id.
		ask: async (path, body, key) => {
			const { text } = await askUntilLogged(shop, async () => {
				const answer = await post(path, body, key);
				assert.equal(answer.status, 200, answer.text);
				return answer;
			});
			return { text, body: JSON.parse(text), id: JSON.parse(text).decisionId };
		},
		bytes: () => Buffer.concat(files().map((file) => readFileSync(file))),
	});
}
