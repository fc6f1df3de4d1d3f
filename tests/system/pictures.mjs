// Takes pictures of the four sites: three visitors of each on a desktop in the light, and the first of them on a phone in the dark.
//
//   node pictures.mjs FOLDER        FW_BIN: the program

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { become, desktop, openBrowser, phone, serveSites, settled, sites, visitorsOf } from './sites.mjs';

const folder = process.argv[2];
const atTheEnd = [];
const t = { after: (what) => atTheEnd.unshift(what) }; // what a test would have

async function take(browser, origin, { name, site, visitor, open = false, ...how }) {
	const context = await browser.newContext({ reducedMotion: 'reduce', deviceScaleFactor: 1, ...how });
	const page = await context.newPage();
	await page.goto(`${origin}/${site}/`);
	await settled(page);
	await become(page, visitor);
	if (open) await page.locator('[data-demo-slot]').first().waitFor();
	else await page.keyboard.press('Escape').then(() => page.locator('#panel').waitFor({ state: 'hidden' }));
	// Those further down may be loaded when somebody comes near, and are in no picture.
	await page.evaluate(() => Promise.all([...document.images].filter((image) => image.loading !== 'lazy' || image.getBoundingClientRect().top < innerHeight)
		.map((image) => Promise.race([image.decode().catch(() => {}), new Promise((done) => { setTimeout(done, 3000); })]))));
	await page.evaluate(() => document.activeElement?.blur());
	await page.screenshot({ path: join(folder, `${name}.png`) });
	await context.close();
	console.log(`${name}.png`);
}

try {
	mkdirSync(folder, { recursive: true });
	const { origin } = await serveSites(t);
	const browser = await openBrowser(t);
	const context = await browser.newContext({ viewport: desktop });
	const page = await context.newPage();
	await page.goto(origin);
	await page.screenshot({ path: join(folder, 'sites.png') });
	console.log('sites.png');
	await context.close();
	for (const site of sites) {
		const visitors = visitorsOf(site).visitors.slice(0, 3).map(({ id }) => id);
		for (const visitor of visitors) await take(browser, origin, { name: `${site}-${visitor}`, site, visitor, viewport: desktop });
		await take(browser, origin, { name: `${site}-${visitors[0]}-phone-dark`, site, visitor: visitors[0], viewport: phone, colorScheme: 'dark', isMobile: true, hasTouch: true });
		await take(browser, origin, { name: `${site}-${visitors[1]}-why`, site, visitor: visitors[1], viewport: { width: 1600, height: 1000 }, open: true });
	}
} finally {
	for (const end of atTheEnd) await end();
}
