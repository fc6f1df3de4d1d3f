// Pages that stay open: what a thousand of them cost their worker, and how soon each hears of what its visitor did.

import { mkdirSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { until } from '../system/daemon.mjs';
import { openStream } from '../system/sse.mjs';
import { options, percentile, privateBytes, say, serve, status, work } from './bench.mjs';

const pages = 1000, kibibyte = 1024;
const rules = `slot "home.hero" { channel = "web", default = { headline = "Made for the cold months" } }
slot "home.strip" { channel = "web", show_up_to = 2 }
for n = 1, 100 do
  rule("seen-" .. n) { slot = "home.hero", priority = n, when = { viewed = { category = "boots", at_least = n } }, show = { headline = "Seen " .. n .. " times" } }
end
rule "open" { slot = "home.strip", show = { text = "Open until ten" } }
`;
// What a browser sends.
const headers = {
	'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36', 'accept-language': 'en-CA,en;q=0.9,fr;q=0.8',
	referer: 'https://shop.example/', 'sec-ch-ua': '"Chromium";v="126", "Google Chrome";v="126", "Not-A.Brand";v="8"', 'sec-ch-ua-mobile': '?0', 'sec-ch-ua-platform': '"Windows"',
};
const context = { page: { url: 'https://shop.example/boots?utm_source=news', referrer: 'https://shop.example/', title: 'Boots for the cold months', type: 'category' }, locale: 'en-CA', timezone: 'America/Toronto' };
const visitor = (i) => `visitor-of-the-bench-${String(i).padStart(6, '0')}`;
const open = (url, i) => openStream(`${url}/v1/stream?${new URLSearchParams({ anonymousId: visitor(i), slots: 'home.hero,home.strip', context: JSON.stringify(context) })}`, { headers });

async function inTurn(n, together, each) {
	let next = 0;
	await Promise.all(Array.from({ length: together }, async () => { while (next < n) await each(next++); }));
}

export async function measure() {
	const folder = join(work, 'streams'), singles = options.quick ? 200 : 2000;
	mkdirSync(join(folder, 'rules'), { recursive: true });
	writeFileSync(join(folder, 'rules/streams.lua'), rules);
	const daemon = await serve('streams', { rules: join(folder, 'rules') });
	const agent = new Agent({ keepAlive: true });
	const track = (batch) => new Promise((done, fail) => {
		request(`${daemon.url}/v1/batch`, { method: 'POST', agent }, (answer) => answer.resume().on('end', () => done(performance.now())).on('error', fail))
			.on('error', fail).end(JSON.stringify({ batch }));
	});
	const event = (i) => ({ type: 'track', event: 'Product Viewed', anonymousId: visitor(i), properties: { product_id: `p-${i}`, category: 'boots' } });
	const pid = status(daemon).workers[0].pid;
	// What the first ones bring with them: buffers, the sandbox, what is remembered of the device.
	const first = [];
	await inTurn(100, 10, async (i) => { const s = await open(daemon.url, pages + i); await s.next(); first.push(s); });
	await inTurn(100, 10, (i) => track([event(pages + i)]));
	first.forEach((s) => s.close());
	await until(async () => /^floorwalker_streams 0$/m.test(await (await fetch(`${daemon.url}/metrics`)).text()));
	say(`opening ${pages} pages`);
	const before = privateBytes(pid), all = [];
	await inTurn(pages, 20, async (i) => { all[i] = await open(daemon.url, i); await all[i].next(); });
	const each = (privateBytes(pid) - before) / pages / kibibyte;
	say(`${singles} visitors do something, one after the other`);
	const late = [];
	for (let k = 0; k < singles; k++) {
		const s = all[k % pages];
		const stored = await track([event(k % pages)]);
		await s.next();
		late.push(Math.max(0, s.events.at(-1).at - stored));
	}
	say('all of them do something at once');
	const stored = await track(all.map((_, i) => event(i)));
	await Promise.all(all.map((s) => s.next()));
	const last = Math.max(...all.map((s) => s.events.at(-1).at)) - stored;
	const after = (privateBytes(pid) - before) / pages / kibibyte;
	all.forEach((s) => s.close());
	agent.destroy();
	await daemon.stop();
	const p99 = percentile(late, 0.99);
	return [
		{ measure: `memory of a worker for one of ${pages} open pages`, ours: each, unit: 'KiB', bar: '< 4 KiB', met: each < 4 },
		{ measure: 'the same, once all were told something', ours: after, unit: 'KiB', bar: '< 4 KiB', met: after < 4 },
		{ measure: 'from a commit\'s answer until its page has heard of it, 99th percentile', ours: p99, unit: 'ms', bar: '< 100 ms', met: p99 < 100 },
		{ measure: `the same for the last of ${pages} that are told at once`, ours: last, unit: 'ms' },
	];
}
