// The example sites over a slow line: a page comes an element at a time, each is painted before the next comes, and nothing that can be seen
// is moved by what comes after it. A browser may pause at any element on a fast line too, and then it is seen there.

import './release.mjs';
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { desktop, openBrowser, phone, serveSites, settled, sites, visit } from './sites.mjs';

const tablet = { width: 820, height: 1180 };

// Whoever wants the page at a path with a query has its elements: { head, elements, write, end }. All else is answered as ever.
const wanted = new Map();
const slowly = (pages) => (req, res) => {
	const take = wanted.get(req.url);
	if (take) {
		const { end } = res;
		res.end = (text) => {
			const [head, body] = text.split(/(?=<body)/);
			take({ head, elements: body.split(/(?<=<\/\w+>)/), write: (part) => res.write(part), end: () => end.call(res) });
		};
	}
	return pages(req, res);
};

const atTheEnd = [];
const whole = { after: (what) => atTheEnd.unshift(what) };
after(async () => { for (const end of atTheEnd) await end(); });

const { origin } = await serveSites(whole, { serve: slowly });
const browser = await openBrowser(whole);

const painted = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

for (const site of ['', ...sites]) {
	test(`${site || 'the page that lists them'}: what can be seen stays where it is while the rest comes`, async (t) => {
		await Promise.all([desktop, tablet, phone].map(async (viewport) => {
			const path = `${site ? `/${site}/` : '/'}?${viewport.width}`;
			const { page } = await visit(t, { browser, origin }, { viewport });
			const coming = new Promise((take) => wanted.set(path, take));
			const gone = page.goto(origin + path);
			const { head, elements, write, end } = await coming;
			write(head);
			await page.waitForURL(origin + path, { waitUntil: 'commit' });
			for (const element of elements) {
				write(element);
				await painted(page);
			}
			end();
			await gone;
			await settled(page);
			assert.ok(elements.length > 20, `${elements.length} elements`);
			assert.deepEqual(await page.evaluate(() => window.shifted), [], `${viewport.width} px: something moved`);
		}));
	});
}
