// The four example sites in a real browser, each for each of its ready visitors, on a desk by day and in the hand by night, with the mouse and
// with the keyboard alone: the page shows what floorwalker decided, says why, and moves nothing. One daemon and one browser for all.

import './release.mjs';
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { tree, until } from './daemon.mjs';
import { become, desktop, openBrowser, overflow, phone, serveSites, settled, sites, tabTo, visit as visitSite, visitorsOf } from './sites.mjs';

const atTheEnd = [];
const t = { after: (what) => atTheEnd.unshift(what) };
after(async () => { for (const end of atTheEnd) await end(); });

const { origin, daemon } = await serveSites(t);
const browser = await openBrowser(t);
const visit = (t, how) => visitSite(t, { browser, origin }, how);

// What each of them is there to show, whatever the hour and the day: who wins in a place. Nobody: what everybody sees is there.
const owed = {
	shop: {
		first: { 'home.hero': ['first-snow-ad'] }, comparing: { 'home.hero': ['boots-again'] }, loyal: { 'account.card': ['tier-gold'] },
		private: { 'home.row': [], 'footer.privacy': ['as-for-everybody'] },
	},
	media: {
		first: { 'media.front': ['media-front-pinned', 'media-front-editor'] }, refused: { 'media.front': ['media-front-pinned', 'media-front-editor'] },
		agreed: { 'media.front': ['media-front-pinned', 'media-front-for-you'] }, fan: { 'media.front': ['media-front-pinned', 'media-front-for-you'] },
		subscriber: { 'media.offer': ['media-offer-thanks'] }, regular: { 'media.offer': ['media-offer-eight'] },
	},
	travel: {
		first: { 'travel.packages': [] }, family: { 'travel.packages': ['travel-packages-family'] }, couple: { 'travel.packages': ['travel-packages-couple'] },
		hiker: { 'travel.hero': ['travel-hero-regular-hiker'] }, refused: { 'travel.hero': ['travel-hero-beach-search'] },
		group: { 'travel.packages': ['travel-packages-group'] }, solo: { 'travel.packages': ['travel-packages-solo'] },
		started: { 'travel.reminder': ['travel-reminder-started-booking'] },
	},
	onboarding: {
		nobody: { 'onboarding.checklist': [] }, owner: { 'onboarding.checklist': ['onboarding-checklist-by-role'] },
		operations: { 'onboarding.checklist': ['onboarding-checklist-progress'] }, api: { 'onboarding.checklist': ['onboarding-checklist-api'] },
		developer: { 'onboarding.hint': ['onboarding-hint-stuck'] }, buyer: { 'onboarding.upgrade': ['onboarding-upgrade-crew'] },
		finance: { 'onboarding.banner': ['onboarding-banner-trial-ends'] }, refused: { 'onboarding.checklist': [], 'onboarding.upgrade': [] },
	},
};

// What became of each slot of the page.
const onPage = (page) => page.evaluate(() => Object.fromEntries([...document.querySelectorAll('[data-fw-slot]')].map((e) => [e.dataset.fwSlot, e.dataset.fw])));
// The page's own question once more. It shows what it shows, so that no turn under a cap is taken twice.
const decide = async ({ url, ...question }) => (await (await fetch(url, { method: 'POST', body: JSON.stringify(question) })).json()).decisions;
// What somebody is to read of a content.
const shownText = (content) => ['headline', 'title', 'text'].map((key) => content?.[key]).filter((text) => typeof text === 'string');

// The worst contrasts of what is written on a plain ground, below what WCAG asks for. Text on pictures and gradients is nobody's to compute.
const pale = () => {
	const parse = (colour) => {
		const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
		return colour.startsWith('color(') ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
	};
	const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
	const ground = (element) => {
		const layers = [];
		for (let e = element; e; e = e.parentElement) {
			const { backgroundColor, backgroundImage, opacity } = getComputedStyle(e);
			if (backgroundImage !== 'none' || opacity !== '1') return null;
			layers.push(parse(backgroundColor));
			if (layers.at(-1)[3] === 1) break;
		}
		const base = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
		return layers.reduceRight((below, top) => over(top, below), base);
	};
	const found = [], written = [];
	for (const root of [document.body, document.getElementById('demo')?.shadowRoot]) {
		const walker = root && document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
		while (walker?.nextNode()) written.push(walker.currentNode);
	}
	for (const node of written) {
		const element = node.parentElement, text = node.data.trim();
		if (!text || element.closest('script, style, template, noscript, svg, option, [aria-hidden="true"]') || !element.checkVisibility({ visibilityProperty: true })) continue;
		const { position } = getComputedStyle(element), covered = element.closest('[data-on-picture]');
		const below = position === 'absolute' || covered ? null : ground(element);
		if (!below) continue;
		const style = getComputedStyle(element), a = light(over(parse(style.color), below)), b = light(below);
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(style.fontSize);
		const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
		if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${text.slice(0, 30)}`);
	}
	return found;
};

// A picture for whoever wants to look: FW_PICTURES names a folder.
const picture = (page, name) => process.env.FW_PICTURES && page.screenshot({ path: join(process.env.FW_PICTURES, `${name}.png`), fullPage: true });

test('the page that lists them leads to each', async (t) => {
	for (const [viewport, colorScheme] of [[desktop, 'light'], [phone, 'dark']]) {
		const { page } = await visit(t, { site: '', viewport, colorScheme });
		await page.goto(origin);
		assert.deepEqual(await page.locator('main a').evaluateAll((links) => links.map((link) => link.getAttribute('href'))), ['/shop/', '/media/', '/travel/', '/onboarding/']);
		assert.deepEqual(await page.evaluate(overflow), []);
		assert.deepEqual(await page.evaluate(pale), []);
	}
});

for (const site of sites) {
	const { visitors } = visitorsOf(site);

	// What the page shows of each slot is what is decided for the visitor who is here, among it what he is there to show. Answers the decisions.
	async function shows(page, list, id) {
		await until(() => list.length, { what: `floorwalker was asked for ${id}` });
		assert.deepEqual([...list[0].slots].sort(), [...new Set(Object.keys(await onPage(page)))].sort(), `${id}: each slot is asked for`);
		// The page is live, and may be on to something else since: what it shows is what the same question is answered now.
		let decisions, wrong;
		await until(async () => {
			decisions = await decide(list[0]);
			const states = await onPage(page), text = (await page.locator('body').evaluate((body) => body.textContent)).toLowerCase();
			wrong = Object.entries(decisions).flatMap(([slot, { reason, content, winners }]) => [
				...(states[slot] === (content ? reason : 'default') ? [] : [`${slot} is ${states[slot]} and not ${reason}`]),
				...winners.flatMap((winner) => shownText(winner.content)).filter((words) => !text.includes(words.toLowerCase())).map((words) => `${slot} does not say "${words}"`),
			]);
			return !wrong.length;
		}, { seconds: 30 }).catch(() => assert.deepEqual(wrong, [], id));
		for (const [slot, rules] of Object.entries(owed[site][id] ?? {})) assert.deepEqual(decisions[slot].winners.map(({ rule }) => rule), rules, `${id}: ${slot}`);
		return decisions;
	}

	test(`${site}: each visitor sees what was decided, is told why, and nothing moves`, async (t) => {
		const { page, asked } = await visit(t, { site });
		await settled(page);
		const told = new Set();
		for (const { id } of visitors) {
			const list = asked.list = [];
			await become(page, id);
			const decisions = await shows(page, list, id);
			told.add(JSON.stringify(Object.values(decisions).map(({ winners }) => winners.map(({ rule }) => rule))));
			// The panel is open, and has each slot with what won there.
			for (const [slot, { winners }] of Object.entries(decisions)) {
				const won = page.locator(`[data-demo-slot="${slot}"] .won .rule`), wanted = winners.map(({ rule }) => rule).sort();
				await page.locator(`[data-demo-slot="${slot}"]`).waitFor({ timeout: 20000 });
				await until(async () => String((await won.allTextContents()).sort()) === String(wanted))
					.catch(async () => assert.deepEqual((await won.allTextContents()).sort(), wanted, `${id}: ${slot}: why`));
			}
			assert.deepEqual(await page.evaluate(() => window.shifted), [], `${id}: something moved`);
			assert.deepEqual(await page.evaluate(overflow), [], id);
			assert.deepEqual(await page.evaluate(pale), [], id);
			await picture(page, `${site}-${id}`);
		}
		assert.ok(told.size > 1, 'the visitors see something else each');
		assert.deepEqual(Object.keys(owed[site]).sort(), visitors.map(({ id }) => id).sort());
	});

	test(`${site}: in the hand, in the dark and with the keyboard alone, each visitor is chosen, sees what was decided and opens why`, async (t) => {
		const { page, asked } = await visit(t, { site, viewport: phone, colorScheme: 'dark' });
		await settled(page);
		await page.locator('#toggle').waitFor();
		await tabTo(page, '(e) => e.id === "toggle"');
		for (const { id } of visitors) {
			const list = asked.list = [], button = `(e) => e.dataset?.visitor === ${JSON.stringify(id)}`;
			await page.keyboard.press('Enter'); // the panel is closed, and the focus on what opens it
			await tabTo(page, button);
			await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
			await settled(page);
			await until(() => page.evaluate(`(${button})(document.activeElement.shadowRoot?.activeElement ?? document.activeElement)`), { what: 'the focus comes back' });
			await shows(page, list, id);
			assert.deepEqual(await page.evaluate(() => window.shifted), [], `${id}: something moved`);
			// What else could have been shown is folded. What the panel says may be drawn anew meanwhile, and the focus is at its slot then.
			const said = page.locator('#why article details[open] .fate').first();
			await page.locator('#why article').first().waitFor();
			await until(async () => {
				if (await said.isVisible()) return true;
				await tabTo(page, '(e) => e.localName === "summary" && e.closest("#why")');
				await page.keyboard.press('Enter');
				return said.isVisible();
			}, { what: `${id}: why is opened` });
			assert.deepEqual(await page.evaluate(overflow), [], `${id}, the panel open`);
			assert.deepEqual(await page.evaluate(pale), [], `${id}, the panel open`);
			await page.keyboard.press('Escape');
			await page.locator('#panel').waitFor({ state: 'hidden' });
			assert.deepEqual(await page.evaluate(overflow), [], id);
			assert.deepEqual(await page.evaluate(pale), [], id);
			await picture(page, `${site}-${id}-phone-dark`);
		}
	});

	test(`${site}: the keyboard chooses who to be, and closes the panel`, async (t) => {
		const { page, context } = await visit(t, { site });
		await settled(page);
		await page.locator('#toggle').waitFor();
		await tabTo(page, '(e) => e.id === "toggle"');
		await page.keyboard.press('Enter');
		const wanted = visitors.at(-1).id;
		await tabTo(page, `(e) => e.dataset?.visitor === ${JSON.stringify(wanted)}`);
		await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
		await settled(page);
		await page.locator(`[data-visitor="${wanted}"][aria-pressed="true"]`).waitFor();
		// The focus is where it was, and the panel still open.
		await until(() => page.evaluate((id) => document.activeElement.shadowRoot?.activeElement?.dataset.visitor === id, wanted), { what: 'the focus comes back' });
		const { country, consent } = visitors.at(-1);
		const cookies = Object.fromEntries((await context.cookies()).map(({ name, value }) => [name, value]));
		assert.equal(cookies.demo_country, country);
		assert.equal(Boolean(cookies[`fw_${site}`]), consent === 'all', 'an id only with consent');
		await page.keyboard.press('Escape');
		assert.ok(await page.locator('#panel').isHidden());
		assert.equal(await page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.id), 'toggle');
		await page.reload();
		await page.locator('#toggle').waitFor();
		assert.ok(await page.locator('#panel').isHidden(), 'closed stays closed');
	});

	test(`${site}: on a desk and in the hand, by day and by night`, async (t) => {
		for (const viewport of [desktop, phone]) {
			const { page } = await visit(t, { site, viewport });
			await settled(page);
			await become(page, visitors[0].id);
			const where = `${viewport.width} px`;
			assert.deepEqual(await page.evaluate(overflow), [], where);
			await page.keyboard.press('Escape');
			await page.locator('#panel').waitFor({ state: 'hidden' });
			assert.deepEqual(await page.evaluate(overflow), [], where);
			assert.deepEqual(await page.evaluate(() => window.shifted), [], where);
			for (const colorScheme of ['light', 'dark']) {
				await page.emulateMedia({ colorScheme });
				assert.deepEqual(await page.evaluate(pale), [], `${where}, ${colorScheme}`);
				await picture(page, `${site}-${viewport.width}-${colorScheme}`);
			}
			const levels = await page.locator('h1, h2, h3, h4').evaluateAll((all) => all.filter((h) => h.checkVisibility()).map((h) => Number(h.nodeName[1])));
			assert.equal(levels.filter((level) => level === 1).length, 1, `one h1: ${levels}`);
			levels.reduce((before, level) => (assert.ok(level <= before + 1, `${where}: headings ${levels}`), level), 0);
			assert.deepEqual(await page.locator('img:not([alt])').count(), 0, 'each picture has an alt');
		}
	});

	test(`${site}: without floorwalker's script everybody sees the page's own`, async (t) => {
		// The browser itself says that something was blocked.
		const { context, page } = await visit(t, { gentle: /Failed to load resource/ });
		await context.route('**/fw.js', (route) => route.abort('blockedbyclient'));
		await page.goto(`${origin}/${site}/`);
		await page.locator('#toggle').waitFor();
		const seen = await page.locator('[data-fw-slot]').evaluateAll((all) => all.map((e) => [e.dataset.fw, e.textContent.trim().length > 0]));
		assert.ok(seen.every(([state]) => state === undefined));
		assert.ok(seen.some(([, says]) => says));
		assert.deepEqual(await page.evaluate(() => window.shifted), []);
	});
}

test('shop: who takes it back on the privacy page sees what everybody sees', async (t) => {
	const { page } = await visit(t, { site: 'shop' });
	await settled(page);
	await become(page, 'comparing');
	await page.keyboard.press('Escape');
	assert.match(await page.locator('h1').textContent(), /boots/);
	await page.locator('[data-fw-slot="footer.privacy"] a').click();
	assert.deepEqual(await page.locator('input:checked').evaluateAll((boxes) => boxes.map((box) => box.id)), ['analytics', 'personalization', 'sale']);
	await page.getByRole('button', { name: 'Refuse all' }).click();
	await page.locator('#status', { hasText: 'none of it' }).waitFor();
	await page.goto(`${origin}/shop/`);
	await settled(page);
	assert.doesNotMatch(await page.locator('h1').textContent(), /boots/);
	assert.match(await page.locator('[data-fw-slot="footer.privacy"]').textContent(), /You see what everybody sees/);
});

test('their pictures are small, and ours', () => {
	for (const site of [...sites, 'demo']) {
		const folder = join(tree, 'rules', site, 'pages/pictures');
		for (const name of readdirSync(folder)) {
			assert.match(name, /^[\w-]+\.svg$/, `${site}: ${name}`);
			assert.ok(statSync(join(folder, name)).size <= 8192, `${site}: ${name} is large`);
		}
	}
});

// Raw, so that nobody tidies the path up on the way.
const status = (path, headers = {}) => new Promise((done, fail) => {
	const { hostname, port } = new URL(origin);
	request({ hostname, port, path, headers, agent: false }, (answer) => answer.resume().on('end', () => done(answer.statusCode))).on('error', fail).end();
});

test('the page server hands out pages and nothing else', async () => {
	assert.equal(await status('/shop/'), 200);
	assert.equal(await status('/shop'), 308);
	for (const path of ['/shop/../hero.lua', '/shop/%2e%2e/hero.lua', '/shop/..%2fhero.lua', '/shop/../../../README.md', '/demo/serve.mjs', '/demo/../../demo.lua', '/shop/pictures/../serve.mjs', '/shop/.git',
		'/shop//etc/passwd', '/shop/nothing.css', '/shop/README.md', '/rules/demo.lua', '//shop/', '/toString', '/__proto__']) assert.equal(await status(path), 404, path);
	const answer = await fetch(`${origin}/shop/`);
	assert.match(answer.headers.get('content-security-policy'), /^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';/);
	assert.doesNotMatch(answer.headers.get('content-security-policy'), /unsafe/);
	assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
	// What needs a secret key is for pages of this server, and for no other that the browser has open.
	const body = JSON.stringify({ slots: ['home.hero'] });
	const explain = async (headers) => (await fetch(`${origin}/v1/explain`, { method: 'POST', body, headers })).status;
	assert.equal(await explain({}), 200);
	assert.equal(await explain({ 'sec-fetch-site': 'cross-site' }), 401);
	assert.equal(await status('/v1/visitors/u-nobody', { host: 'evil.example' }), 401);
	assert.equal((await fetch(`${daemon.url}/v1/explain`, { method: 'POST', body })).status, 401);
});

test('each country and device of the switcher is one', async () => {
	const inEu = { DE: true, AT: true, CH: false, FR: true, GB: false, NO: false, SE: true, US: false, CA: false, JP: false, AU: false };
	for (const { country } of sites.flatMap((site) => visitorsOf(site).visitors)) assert.ok(country in inEu, `${country} is no country of the switcher`);
	for (const [country, expected] of Object.entries(inEu)) {
		for (const device of ['desktop', 'mobile', 'tablet']) {
			const answer = await fetch(`${origin}/v1/explain`, { method: 'POST', body: JSON.stringify({ slots: ['home.hero'] }), headers: { cookie: `demo_country=${country}; demo_device=${device}` } });
			const { facts } = await answer.json();
			assert.deepEqual([facts.country, facts.in_eu, facts.device], [country, expected, device]);
		}
	}
});
