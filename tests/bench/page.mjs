// A page in Chromium, with fw.js and without: when what its slot shows is painted, what moved, and how long the script ran. Both pages have
// the same words in the same place; in one they are in the page, in the other they come with the decision.

import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { options, percentile, say, serve, tree, work } from './bench.mjs';

const { chromium } = createRequire(join(tree, 'tests/system/'))('playwright-core');
const words = 'Made for the cold months';
const rules = `slot "home.hero" { channel = "web", default = { headline = "The default" } }
rule "all" { slot = "home.hero", show = { headline = "${words}" } }
`;
const css = `@keyframes fw-default { to { visibility: visible } }
[data-fw-slot]:not([data-fw], [data-fw-decision]) { visibility: hidden; animation: fw-default 0s 150ms forwards }
#hero { block-size: 300px }`;
const filler = '<p>What else a page has in it, so that it is one.</p>'.repeat(100);

const html = (api) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/shop.css">
${api ? `<script async src="${api}/fw.js" data-slots="home.hero" data-consent="analytics personalization"></script>` : ''}<body>
${api ? '<div id="hero" data-fw-slot="home.hero"><template><h2 elementtiming="hero" data-fw-text="headline"></h2></template><h2>The default</h2></div>' : `<div id="hero"><h2 elementtiming="hero">${words}</h2></div>`}
${filler}</body></html>`;

// Milliseconds from the navigation to the frame that shows the words, and the sum of what moved.
const look = (page) => page.evaluate(() => new Promise((done) => {
	let moved = 0;
	new PerformanceObserver((list) => { for (const { value } of list.getEntries()) moved += value; }).observe({ type: 'layout-shift', buffered: true });
	new PerformanceObserver((list) => setTimeout(() => done({ painted: list.getEntries()[0].renderTime, moved }), 200)).observe({ type: 'element', buffered: true });
	// The default has stayed: for the one who looks the words never come.
	setTimeout(() => done({ painted: Infinity, moved }), 2000);
}));

// Milliseconds that the script ran when it was loaded, its compilation included: by the clock, and of them those that the page's thread had
// a processor and did not wait for another process to answer.
async function runs(browser, page, url) {
	await browser.startTracing(page, { categories: ['devtools.timeline'] });
	await page.goto(url);
	await page.waitForTimeout(300);
	const { traceEvents } = JSON.parse(await browser.stopTracing());
	const { dur, tdur } = traceEvents.find(({ name, args }) => name === 'EvaluateScript' && /\/fw\.js$/.test(args?.data?.url ?? ''));
	return { took: dur / 1000, ran: tdur / 1000 };
}

export async function measure() {
	const folder = join(work, 'page'), times = options.quick ? 20 : 100;
	mkdirSync(join(folder, 'rules'), { recursive: true });
	writeFileSync(join(folder, 'rules/page.lua'), rules);
	let api = '';
	const server = createServer((req, res) => (req.url === '/shop.css' ? res.setHeader('content-type', 'text/css').end(css)
		: res.setHeader('content-type', 'text/html').end(html(req.url === '/with' ? api : ''))));
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	const origin = `http://localhost:${server.address().port}`;
	const daemon = await serve('page', { rules: join(folder, 'rules'), free: true, more: `cors = { "${origin}" }\n` });
	api = daemon.url;
	const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
	const results = { with: [], plain: [] }, ran = [];
	try {
		const page = await browser.newPage({ viewport: { width: 1000, height: 800 } });
		say(`loading a page ${2 * times} times`);
		for (let i = -3; i < times; i++) {
			for (const which of ['with', 'plain']) {
				await page.goto(`${origin}/${which}`);
				const seen = await look(page);
				if (i >= 0) results[which].push(seen);
			}
		}
		for (let i = 0; i < times / 2; i++) ran.push(await runs(browser, page, `${origin}/with`));
	} finally {
		await browser.close();
		server.closeAllConnections();
		server.close();
	}
	const late = (which) => percentile(results[which].map(({ painted }) => painted), 0.95), over = late('with') - late('plain');
	const moved = Math.max(...results.with.map((r) => r.moved)), of = (what, part) => percentile(ran.map((r) => r[what]), part);
	return [
		{ measure: 'from navigation to the slot painted, 95th percentile', ours: late('with'), unit: 'ms', peer: late('plain'), peerName: 'the same page without', bar: '30 ms over it', met: over < 30, raw: results },
		{ measure: 'pages on which the default stayed', ours: results.with.filter(({ painted }) => painted === Infinity).length, unit: '' },
		{ measure: 'layout shift, the most of all', ours: moved, unit: '', bar: '0', met: moved === 0 },
		{ measure: 'fw.js runs, by the clock: 95th percentile', ours: of('took', 0.95), unit: 'ms', bar: '5 ms', met: of('took', 0.95) < 5 && of('took', 0.05) > 0, raw: ran },
		{ measure: 'fw.js runs, by the clock: median', ours: of('took', 0.5), unit: 'ms' },
		{ measure: "fw.js runs, processor time of the page's thread: 95th percentile", ours: of('ran', 0.95), unit: 'ms' },
		{ measure: "fw.js runs, processor time of the page's thread: median", ours: of('ran', 0.5), unit: 'ms' },
	];
}
