// A shop whose pages load fw.js from floorwalker, at another origin, under a policy that allows nothing inline; and Chromium on it.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { servePeople, until, write } from './people.mjs';
import { startProxy } from './proxy.mjs';

// Without a window Chromium calls itself HeadlessChrome, which is a crawler's name; beacons heed the command line alone.
export const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';

// What the guide says a page's own style sheet has, and the space that its slots take.
export const css = (budget, slots = '[data-fw-slot]') => `@keyframes fw-default { to { visibility: visible } }
${slots}:not([data-fw], [data-fw-decision]) { visibility: hidden; animation: fw-default 0s ${budget}ms forwards }
body { margin: 0 }
[data-fw-slot] { block-size: 240px; overflow: hidden }
#far { margin-top: 3000px }`;

export const rules = `slot "home.hero" { channel = "web", default = { headline = "Welcome", url = "/welcome" } }
slot "home.strip" { channel = "web", show_up_to = 2 }
slot "home.deal" { channel = "web" }
slot "home.nothing" { channel = "web" }
rule "boots-again" { slot = "home.hero", priority = 10, when = { viewed = { product = "p-1" } }, show = { headline = "Boots, again", url = "/boots" } }
rule "on-sale" { slot = "home.hero", when = { page = "/sale" }, show = { headline = "On sale", url = "/sale/all" } }
rule "free-shipping" { slot = "home.strip", priority = 2, show = { text = "Free shipping", more = { url = "/shipping" } } }
rule "late-hours" { slot = "home.strip", show = { text = "Open until ten" } }
rule "deal" { slot = "home.deal", show = { text = "<img src=x onerror=alert(1)>", url = "javascript:alert(1)", note = "fine" } }
`;

export const hero = (more = '') => `<section id="hero" data-fw-slot="home.hero" ${more}><template><h2 data-fw-text="headline"></h2><a data-fw-attr="href:url">Look</a></template><h2>The default</h2></section>`;

const policy = (api) => `default-src 'none'; script-src 'self' ${api}; style-src 'self'; connect-src ${api}; img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'`;

// { shop, proxy, site, browser, context, page, origin, go(path), sent(), decides(), problems }. `site.body` is what every page has in it,
// `site.attributes` what its script element says (undefined: nothing of that name), `site.script` the shop's own script, `slots` what its style sheet calls slots. `gentle`: the browser's own lines about requests
// that did not succeed are no problems.
export async function open(t, { body = hero(), attributes = {}, script = '', budget = 20000, slots, init, gentle, config = {} } = {}) {
	const site = { body, attributes, script, scripts: [] };
	const server = createServer((req, res) => {
		const path = req.url.split('?')[0];
		const give = (type, text) => res.writeHead(200, { 'content-type': type, 'content-security-policy': policy(site.api), 'cache-control': 'no-cache' }).end(text);
		if (path === '/shop.css') return give('text/css', css(budget, slots));
		if (path === '/shop.js') return give('text/javascript', site.script);
		if (/\.\w+$/.test(path)) return res.writeHead(404).end();
		const said = Object.entries({ 'data-write-key': write, 'data-budget': budget, ...site.attributes }).filter(([, v]) => v !== undefined).map(([k, v]) => ` ${k}="${v}"`).join('');
		give('text/html', `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop ${path}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/shop.css">
<script src="/shop.js"></script><script async src="${site.api}/fw.js"${said}></script><body data-fw-page-type="home"><main><h1>Shop</h1>${site.body}</main></body></html>`);
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	// The page first: it is not to notice that what it talks to ends.
	const problems = [];
	let browser;
	t.after(async () => {
		const seen = [...problems];
		await browser?.close();
		assert.deepEqual(seen, []);
	});
	t.after(() => { server.closeAllConnections(); server.close(); });
	const origin = `http://localhost:${server.address().port}`;
	const shop = await servePeople(t, { config: { cors: [origin], ...config }, files: { 'shop/home.lua': rules } });
	const proxy = await startProxy(t, shop.url);
	site.api = proxy.url;
	browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', `--user-agent=${chrome}`] });
	const context = await browser.newContext({ viewport: { width: 1000, height: 800 } });
	if (init) await context.addInitScript(init);
	const page = await context.newPage();
	page.on('pageerror', (error) => problems.push(error.message));
	page.on('console', (message) => { if (!gentle?.test(message.text())) problems.push(`${message.type()}: ${message.text()} ${message.location().url}`); });
	// To see a test fail: another script, in which what it is about is broken.
	if (process.env.FW_TEST_SNIPPET) await context.route('**/fw.js', (route) => route.fulfill({ path: process.env.FW_TEST_SNIPPET, contentType: 'text/javascript' }));
	const bodies = (path) => proxy.seen.filter((r) => r.method === 'POST' && r.path === path && r.text).map((r) => JSON.parse(r.text));
	return {
		shop, proxy, site, browser, context, page, origin, problems,
		go: async (path = '/') => { await page.goto(origin + path); },
		decides: () => bodies('/v1/decide'),
		// Events that were sent, each once.
		sent: () => [...new Map(bodies('/v1/batch').flatMap(({ batch }) => batch).map((event) => [event.messageId, event])).values()],
		cookie: async (name = 'ajs_anonymous_id') => (await context.cookies()).find((c) => c.name === name)?.value,
		state: (id = 'hero') => page.locator(`#${id}`).getAttribute('data-fw'),
		text: (id = 'hero') => page.locator(`#${id}`).innerText(),
		filled: (id = 'hero', state = /./) => until(async () => state.test(await page.locator(`#${id}`).getAttribute('data-fw') ?? ''), { what: `#${id} is settled: ${state}` }),
	};
}

export const named = (events, name) => events.filter(({ event }) => event === name);
export { until, write };
