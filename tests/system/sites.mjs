// The four example sites as scripts/demo serves them: floorwalker with rules/demo.lua, the page server, and Chromium. For the tests of
// them and for scripts/pictures.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { pages as ofDemo } from '../../rules/demo/pages/serve.mjs';
import { listen } from '../../rules/shop/pages/serve.mjs';
import { startDaemon, temporaryFolder, tree, until } from './daemon.mjs';

const secret = 'sk-of-the-four-sites';
// Without a window Chromium calls itself HeadlessChrome, which is a crawler's name.
const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';

export const sites = ['shop', 'media', 'travel', 'onboarding'].filter((site) => existsSync(join(tree, 'rules', site, 'pages/index.html')));
export const visitorsOf = (site) => JSON.parse(readFileSync(join(tree, 'rules', site, 'pages/visitors.json'), 'utf8'));

export const desktop = { width: 1280, height: 900 }, phone = { width: 390, height: 844 };

// What a visitor sees is held back for so long that a busy machine is in time; how long that may be is the business of other tests.
const patience = 20000;
const patient = (path, text) => (path.endsWith('.css') ? text.replace(/(fw-default 0s )150ms/g, `$1${patience}ms`)
	: text.replace('src="/fw.js"', `src="/fw.js" data-budget="${patience}"`));

// { origin, daemon }. `edit` is the page server's; `serve` what answers requests, made of what the page server would do; `bin` the program,
// if not the one under test.
export async function serveSites(t, { bin, edit = patient, serve = (pages) => pages } = {}) {
	const env = { FW_RUN: temporaryFolder(t), FW_LISTEN: '127.0.0.1:0', FW_SECRET_KEY: secret };
	const daemon = await startDaemon(t, join(tree, 'rules/demo.lua'), { env, ...(bin ? { bin } : {}) });
	await until(async () => (await fetch(`${daemon.url}/readyz`)).ok, { what: 'the sites are served' });
	const server = await listen(serve(ofDemo(daemon.url, { secret, edit })));
	t.after(() => { server.closeAllConnections(); server.close(); });
	return { daemon, origin: `http://127.0.0.1:${server.address().port}` };
}

export async function openBrowser(t) {
	const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', `--user-agent=${chrome}`] });
	t.after(() => browser.close());
	return browser;
}

// In a page: every slot says what became of it, and what stands in them is drawn.
export const isSettled = () => [...document.querySelectorAll('[data-fw-slot]')].every((element) => element.dataset.fw);

export async function settled(page) {
	await page.waitForFunction(isSettled, null, { timeout: 30000 });
}

// Becomes a ready visitor by the switcher, and waits for the page that this one sees.
export async function become(page, id) {
	const button = page.locator(`[data-visitor="${id}"]`);
	if (!await button.isVisible()) await page.locator('#toggle').click();
	await Promise.all([page.waitForEvent('load'), button.click()]);
	await page.locator(`[data-visitor="${id}"][aria-pressed="true"]`).waitFor({ state: 'attached' });
	await settled(page);
}

// How far the page has moved without anybody's doing, from the first paint on.
const watchShifts = () => {
	window.shifted = [];
	new PerformanceObserver((list) => list.getEntries().filter((e) => !e.hadRecentInput).forEach((e) => window.shifted.push({
		value: e.value, what: e.sources.map(({ node }) => [node?.parentElement?.className, node?.nodeName, node?.className, node?.textContent?.trim().slice(0, 30)].filter(Boolean).join(' ')),
	}))).observe({ type: 'layout-shift', buffered: true });
};

// A page on which nothing may go wrong: { context, page, asked }. `asked.list` has what its script asked to be decided, where, and what was
// said; whoever puts another list there has in it nothing of what was answered before.
export async function visit(t, { browser, origin }, { site, gentle, ...how } = {}) {
	const context = await browser.newContext({ viewport: desktop, reducedMotion: 'reduce', ...how });
	const page = await context.newPage();
	const problems = [], asked = { list: [] };
	page.on('pageerror', (error) => problems.push(error.message));
	page.on('console', (message) => { if (!gentle?.test(message.text())) problems.push(`${message.type()}: ${message.text()} ${message.location().url}`); });
	page.on('request', (sent) => { if (new URL(sent.url()).origin !== origin) problems.push(`asks elsewhere: ${sent.url()}`); });
	page.on('response', async (answer) => {
		if (!answer.url().endsWith('/v1/decide')) return;
		const { list } = asked;
		if (!answer.ok()) problems.push(`decide: ${answer.status()}`);
		const { decisionId } = await answer.json().catch(() => ({}));
		if (decisionId) list.push({ url: answer.url(), ...answer.request().postDataJSON(), shown: decisionId });
	});
	await context.addInitScript(watchShifts);
	t.after(async () => {
		const seen = [...problems];
		await context.close();
		assert.deepEqual(seen, []);
	});
	if (site) await page.goto(`${origin}/${site}/`);
	return { context, page, asked };
}

// What is wider than the window, if anything is.
export const overflow = () => {
	const room = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth <= room) return [];
	return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > room + 1).map((e) => `${e.nodeName}.${e.className}`).slice(0, 8);
};

// Goes on with Tab until what has the focus is what is meant: a function of the element, as text.
export async function tabTo(page, matches, { key = 'Tab', most = 60 } = {}) {
	for (let i = 0; i < most; i++) {
		await page.keyboard.press(key);
		if (await page.evaluate(`(${matches})(document.activeElement.shadowRoot?.activeElement ?? document.activeElement)`)) return;
	}
	assert.fail(`${key} does not lead to ${matches}`);
}
