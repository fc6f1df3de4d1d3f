// What visitors do with the example sites' own controls, in a real browser, once with the mouse and once with the keyboard alone: they open
// stories, search and filter journeys, begin a booking, tick steps off and fill a cart; and the page follows what they did, when it comes
// back, too. Nobody has told of them before. One daemon and one browser for all.

import './release.mjs';
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { until } from './daemon.mjs';
import { openBrowser, overflow, serveSites, settled, tabTo, visit as visitSite } from './sites.mjs';

const atTheEnd = [];
const t = { after: (what) => atTheEnd.unshift(what) };
after(async () => { for (const end of atTheEnd) await end(); });

const { origin } = await serveSites(t);
const browser = await openBrowser(t);

// The two ways to use a page: press(what) a button or a link, tick(what) a box, choose(what, value) of a list, write(what, text) and send it,
// leave() what is open. `what` is a selector of one element.
const withMouse = (page) => ({
	press: (what) => page.locator(what).click(),
	tick: (what) => page.locator(what).locator('xpath=ancestor::label').click(),
	choose: (what, value) => page.locator(what).selectOption(value),
	write: async (what, text, send) => {
		await page.locator(what).fill(text);
		await (send ? page.locator(send).click() : page.locator(what).press('Enter'));
	},
	leave: (what) => page.locator(what).click(),
});

function withKeyboard(page) {
	// Forwards or back, whichever leads there.
	const reach = async (what) => {
		const [there, back] = await page.evaluate((what) => {
			const at = document.activeElement, to = document.querySelector(what);
			return [at === to, at !== document.body && Boolean(at.compareDocumentPosition(to) & Node.DOCUMENT_POSITION_PRECEDING)];
		}, what);
		if (!there) await tabTo(page, `(e) => e.matches(${JSON.stringify(what)})`, { key: back ? 'Shift+Tab' : 'Tab', most: 150 });
	};
	const press = async (what, key = 'Enter') => { await reach(what); await page.keyboard.press(key); };
	return {
		press,
		tick: (what) => press(what, 'Space'),
		choose: async (what, value) => {
			for (let i = 0; await page.locator(what).inputValue() !== value; i++) {
				assert.ok(i < 20, `${what} has no ${value}`);
				await press(what, 'ArrowDown');
			}
		},
		write: async (what, text) => {
			await reach(what);
			await page.keyboard.type(text);
			await page.keyboard.press('Enter');
		},
		leave: () => page.keyboard.press('Escape'),
	};
}

// A site as somebody opens it who has been asked and has agreed, or was not asked yet.
async function open(t, site, agreed = true) {
	const { page, context } = await visitSite(t, { browser, origin });
	const answer = JSON.stringify({ analytics: true, personalization: true, sale: false });
	if (agreed) await context.addCookies([{ name: 'fw_consent', value: encodeURIComponent(answer), url: origin }]);
	await page.goto(`${origin}/${site}/`);
	await settled(page);
	return page;
}

// The page comes to say so: what it is asked has to become what is wanted.
async function comes(page, ask, wanted, what) {
	let last;
	await until(async () => { last = await page.evaluate(ask); return JSON.stringify(last) === JSON.stringify(wanted); }, { seconds: 20 }).catch(() => assert.deepEqual(last, wanted, what));
}

for (const [how, hands] of Object.entries({ 'the mouse': withMouse, 'the keyboard': withKeyboard })) {
	test(`media, with ${how}: the front page follows the stories that are opened, and a section shows its own`, async (t) => {
		const page = await open(t, 'media', false), { press, leave } = hands(page);
		const read = () => [...document.querySelectorAll('.front li')].filter((li) => !li.hidden).map((li) => li.querySelector('[data-story]').dataset.story);
		const first = () => [...document.querySelectorAll('.front li')].filter((li) => !li.hidden).slice(0, 3).map((li) => li.querySelector('[data-story]').dataset.story);
		const order = () => document.querySelector('.order').textContent.split(/[,:.]/)[0];
		const reading = () => (document.getElementById('reader').open ? document.getElementById('reader-text').childElementCount > 0 : null);
		await comes(page, order, 'In the order in which the editors put it');
		const before = await page.evaluate(read);
		await press('#permission-yes');
		assert.ok(await page.locator('#permission').isHidden());
		await settled(page);
		// From the end of the page on, as the keyboard comes by after the answer.
		for (const [n, story] of ['ski', 'eight-women', 'rye'].entries()) {
			const link = `.front [data-story="${story}"] a`, headline = await page.locator(link).textContent();
			await press(link);
			await comes(page, reading, true, `${story} is read`);
			assert.equal(await page.locator('#reader-headline').textContent(), headline);
			assert.equal(new URL(page.url()).hash, `#story/${story}`);
			// The third makes a taste, and the page behind the story has another order.
			if (n === 2) await comes(page, order, 'In your order');
			else assert.deepEqual(await page.evaluate(read), before);
			await leave('#reader-close');
			await comes(page, reading, null, `${story} is closed`);
			await comes(page, () => document.activeElement.closest('[data-story]')?.dataset.story, story, 'the focus is at the story, wherever that is now');
			await until(() => new URL(page.url()).hash === '', { what: 'the address is the page\'s again' });
		}
		// The pin stays first. Of what they like one story leads, and stands nowhere else; what was read is at the end.
		const asTheyLike = async () => {
			await comes(page, order, 'In your order');
			await comes(page, () => document.querySelector('.lead [data-story]').dataset.story, 'derby');
			await comes(page, first, ['tunnel-vote', 'urchin', 'sea-wall']);
			assert.deepEqual((await page.evaluate(read)).slice(-3).sort(), ['eight-women', 'rye', 'ski']);
			assert.deepEqual(await page.locator('.front .opened').evaluateAll((all) => all.map(({ dataset }) => dataset.story).sort()), ['eight-women', 'rye', 'ski']);
			assert.equal(await page.locator('.front [data-story="urchin"] .badge').textContent(), 'For you');
		};
		await asTheyLike();
		await press('.sections [data-section="food"]');
		assert.deepEqual([await page.locator('#front-title').textContent(), await page.evaluate(read)], ['Food', ['urchin', 'rye']]);
		assert.deepEqual(await page.locator('.sections [aria-pressed="true"]').allTextContents(), ['Food']);
		await press('.sections [data-section=""]');
		assert.equal((await page.evaluate(read)).length, 15);
		await page.reload();
		await settled(page);
		await asTheyLike();
		assert.deepEqual(await page.evaluate(overflow), []);
	});

	test(`travel, with ${how}: a search orders the journeys, filters leave some of them, and a booking that was begun waits`, async (t) => {
		const page = await open(t, 'travel'), { press, tick, choose, write } = hands(page);
		const listed = () => [...document.querySelectorAll('.list .card')].filter((card) => !card.hidden).map((card) => card.dataset.id);
		const count = () => document.querySelector('.count').textContent;
		const intent = () => document.querySelector('.hero').dataset.intent;
		// What is not first is folded.
		const uncover = async (what) => { if (!await page.locator(what).locator('xpath=ancestor::label').isVisible()) await press('.filters summary'); };
		assert.equal(await page.evaluate(count), '15 journeys');
		await write('.search [name="q"]', 'a beach with children', '.search > button');
		await comes(page, () => document.querySelector('.why').textContent, 'Because you travel with children.');
		assert.deepEqual((await page.evaluate(listed)).slice(0, 3), ['lagoon', 'dunes', 'naxos']);
		await comes(page, intent, 'family-beach');
		await comes(page, () => document.querySelector('.filters select').name, 'children', 'ages are asked first');

		await uncover('.filters [name="budget"]');
		await choose('.filters [name="budget"]', '600');
		await comes(page, () => document.querySelector('.count').textContent, '3 of 15 journeys');
		assert.deepEqual(await page.evaluate(listed), ['dunes', 'porto', 'ghent']);
		await uncover('.filters [name="train"]');
		await tick('.filters [name="train"]');
		assert.deepEqual([await page.evaluate(count), await page.evaluate(listed)], ['2 of 15 journeys', ['dunes', 'ghent']]);
		await tick('.filters [name="pool"]');
		assert.deepEqual([await page.evaluate(count), await page.locator('.none').isVisible()], ['0 of 15 journeys', true]);
		await press('.none button');
		assert.deepEqual([await page.evaluate(count), await page.locator('.none').isVisible()], ['15 journeys', false]);
		assert.ok(await page.evaluate(() => document.activeElement.matches('.list a')), 'the focus is in the list');

		await press('.list [data-open="dunes"]');
		await page.locator('#journey h1', { hasText: 'The dunes by train' }).waitFor();
		assert.deepEqual([new URL(page.url()).search, await page.evaluate(() => document.activeElement.nodeName)], ['?package=dunes', 'H1']);
		assert.ok(await page.locator('.list').isHidden());
		await press('.booking .strong');
		await page.locator('.booking .said', { hasText: 'Begun' }).waitFor();
		await press('.back a');
		assert.deepEqual([await page.evaluate(count), new URL(page.url()).search], ['15 journeys', '']);
		const reminded = () => { const { dataset, textContent } = document.querySelector('.reminder'); return [dataset.kind, textContent.split('.')[0]]; };
		await comes(page, reminded, ['started', 'The dunes by train']);
		// It leads back, where the booking is finished.
		await press('.reminder button');
		await page.locator('#journey h1', { hasText: 'The dunes by train' }).waitFor();
		await press('.booking .strong');
		await page.locator('.booking .said', { hasText: 'Booked' }).waitFor();
		await press('.back a');
		await comes(page, () => document.querySelector('.reminder').dataset.kind !== 'started', true, 'nobody is reminded of what is booked');
		await comes(page, () => [...document.querySelectorAll('.list .card')].map((card) => card.dataset.id).indexOf('dunes') > 0, true, 'where they have been goes down');
		assert.deepEqual(await page.evaluate(overflow), []);
	});

	test(`onboarding, with ${how}: the list follows who somebody is, steps are ticked off, and an offer comes after three`, async (t) => {
		const page = await open(t, 'onboarding'), { press, choose } = hands(page);
		const steps = () => [...document.querySelectorAll('.step')].map(({ dataset }) => `${dataset.step} ${dataset.state}`);
		const progress = () => document.getElementById('progress').textContent;
		const said = (slot) => `document.querySelector('[data-fw-slot="onboarding.${slot}"] h2').textContent`;
		assert.deepEqual([(await page.evaluate(steps)).length, await page.evaluate(progress)], [6, '0 of 6 done, about 19 min left']);
		await choose('#you [name="role"]', 'owner');
		await choose('#you [name="size"]', '3');
		await comes(page, steps, ['people open', 'week open', 'publish open', 'phones open', 'availability open']);
		assert.equal(await page.evaluate(progress), '0 of 5 done, about 13 min left');
		await comes(page, said('hint'), 'Add your people');
		await comes(page, said('upgrade'), 'No hurry with a plan');

		await press('[data-step="people"] .tick');
		assert.equal(await page.evaluate(progress), '1 of 5 done, about 10 min left');
		assert.equal(await page.locator('[data-step="people"] .tick').getAttribute('aria-pressed'), 'true');
		await comes(page, said('hint'), 'Draw your first week');
		// The hint shows how, in the list.
		await comes(page, () => document.querySelector('.hint p:not(.label)').textContent, '4 steps are left. This one is the best to do now.');
		await press('.hint [data-shows="week"]');
		assert.ok(await page.locator('[data-step="week"] details p').isVisible());
		assert.equal(await page.evaluate(() => document.activeElement.closest('.step')?.dataset.step), 'week');
		assert.match(await page.locator('[data-step="week"] summary').textContent(), /^How, looked at/);
		await press('[data-step="week"] .tick');
		await press('[data-step="publish"] .tick');
		assert.equal(await page.evaluate(progress), '3 of 5 done, about 4 min left');
		await comes(page, said('upgrade'), 'Corner: up to ten people');
		// What was done is known when they come back, and what the form was told.
		await page.reload();
		await settled(page);
		await comes(page, steps, ['people done', 'week done', 'publish done', 'phones open', 'availability open']);
		assert.deepEqual([await page.evaluate(progress), await page.locator('#you [name="role"]').inputValue()], ['3 of 5 done, about 4 min left', 'owner']);
		// Developers may not buy.
		await choose('#you [name="role"]', 'developer');
		await comes(page, said('upgrade'), 'No hurry with a plan');
		await comes(page, () => document.querySelector('.step').dataset.step, 'api-key');
		assert.deepEqual(await page.evaluate(overflow), []);
	});

	test(`shop, with ${how}: the search finds, a product is looked at and put into the cart, and the note above the cart follows`, async (t) => {
		const page = await open(t, 'shop'), { press, write, leave } = hands(page);
		const found = () => [...document.querySelectorAll('#products > li')].filter((li) => !li.hidden).map(({ dataset }) => dataset.product);
		const note = () => document.querySelector('[data-fw-slot="cart.note"] p').textContent;
		const socks = '#products [data-product="S-1"]';
		const all = (await page.evaluate(found)).length;
		await comes(page, note, 'What you put aside waits here, on every device.');
		await write('#term', 'Socks');
		assert.deepEqual([await page.evaluate(found), await page.locator('#none').isHidden()], [['S-1'], true]);
		// Closed without a purchase, and then taken.
		for (const take of [false, true]) {
			await press(`${socks} h3 button`);
			assert.deepEqual([await page.locator('#product-title').textContent(), await page.locator('#product-price').textContent()], ['Hiking socks', '€19.90']);
			if (take) await press('#product-add');
			else await leave('#product .close');
			await page.locator('#product').waitFor({ state: 'hidden' });
			assert.ok(await page.evaluate((socks) => document.activeElement === document.querySelector(`${socks} h3 button`), socks), 'the focus is where it was');
			assert.equal(await page.locator('#said').textContent(), take ? 'Hiking socks is in your cart.' : '');
		}
		for (let i = 0; i < 3; i++) await press(`${socks} .add`);
		await comes(page, note, '€20.40 more, and it ships free.');
		await page.reload();
		await settled(page);
		await comes(page, note, '€20.40 more, and it ships free.');
		assert.equal((await page.evaluate(found)).length, all);
		await write('#term', 'Sledges');
		assert.deepEqual([await page.evaluate(found), await page.locator('#none').textContent()], [[], 'Nothing here is called “sledges”. We have written it down.']);
		assert.deepEqual(await page.evaluate(overflow), []);
	});
}
