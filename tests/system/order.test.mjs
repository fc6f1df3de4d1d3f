// Lists that are put in order for each visitor: by what he likes, what the catalogue says and what the shop lifts; with the editor's pins, without
// what is sold out, as they are written for whoever refused; and why each item stands where it does.

import assert from 'node:assert/strict';
import test from 'node:test';
import { run } from './daemon.mjs';
import { askFresh, runAside, serve, until } from './server.mjs';

const products = [['tent', 'camping', 200], ['stove', 'camping', 60], ['boots', 'shoes', 150], ['sandals', 'shoes', 40], ['rope', 'climbing', 90], ['axe', 'climbing', 120]];
const feed = products.map(([id, category, price]) => JSON.stringify({ id, product_type: category, price, availability: id === 'rope' ? 'out_of_stock' : 'in_stock' })).join('\n');
const ids = products.map(([id]) => `"${id}"`).join(', ');

const rules = `
slot "row" { channel = "web", default = { products = { ${ids} } } }
slot "pinned" { channel = "web" }
slot "cheap" { channel = "web" }
rule "liked" { slot = "row", show = { headline = "For you", order = "yours", products = order { items = { ${ids} }, by = "affinity" } } }
rule "pins" { slot = "pinned", show = { products = order { items = { ${ids} }, by = { "affinity", "price" }, pins = { "axe" }, limit = 3 } } }
rule "as-written" { slot = "pinned", priority = -1, show = { products = { ${ids} } } }
rule "price" { slot = "cheap", show = { products = order {
  items = { ${ids} }, by = "price",
  boost = { { where = { category = "climbing" }, when = { country = "CA" }, by = 2 }, { where = { price = at_least(150) }, by = -1 } },
} } }
test "who looks at shoes" {
  given  = {
    consent = { "personalization" }, events = { { "Product Viewed", product_id = "boots", category = "shoes" } },
    category = { { product = "boots", is = { "shoes" } }, { product = "sandals", is = { "shoes" } } }, -- a test knows no catalogue
  },
  expect = { row = "liked", cheap = "price" },
  order  = { row = { "boots", "sandals", "tent" } },
}`;
const law = 'guard "behaviour-needs-consent" { applies = { uses = "behaviour" }, require = { consent = "personalization" }, because = "GDPR" }\n';

const written = ['tent', 'stove', 'boots', 'sandals', 'axe']; // the rope is sold out
const granted = { consent: { categoryPreferences: { analytics: true, personalization: true } } };

const open = (t, more = {}) => serve(t, {
	files: { 'shop/home.lua': rules, 'law/law.lua': law, 'feed.jsonl': feed },
	config: { compliance: 'law', catalog: { file: 'feed.jsonl' }, ...more },
});

const view = (shop, anonymousId, category, product_id) => shop.ask('/v1/track', { anonymousId, event: 'Product Viewed', properties: { product_id, category }, context: granted });

async function shown(shop, anonymousId, context = granted) {
	const { decisions } = JSON.parse((await askFresh(`${shop.url}/v1/decide`, { anonymousId, slots: ['row', 'pinned', 'cheap'], context })).text);
	return Object.fromEntries(Object.entries(decisions).map(([slot, d]) => [slot, d.content?.products]));
}

test('two visitors read one list in two orders, and the pin stays', async (t) => {
	const shop = await open(t);
	await view(shop, 'who-walks', 'shoes', 'boots');
	await view(shop, 'who-climbs', 'climbing', 'axe');
	await view(shop, 'who-climbs', 'shoes', 'boots');
	await view(shop, 'who-climbs', 'climbing', 'axe');
	const walks = await shown(shop, 'who-walks'), climbs = await shown(shop, 'who-climbs');
	assert.deepEqual(walks.row, ['boots', 'sandals', 'tent', 'stove', 'axe']);
	assert.deepEqual(climbs.row, ['axe', 'boots', 'sandals', 'tent', 'stove']);
	assert.deepEqual([walks.pinned, climbs.pinned], [['axe', 'sandals', 'boots'], ['axe', 'sandals', 'boots']]);
	assert.deepEqual((await shown(shop, 'who-is-new')).row, written);
	assert.deepEqual((await shown(shop, 'who-is-new')).pinned, ['axe', 'sandals', 'stove']); // nothing is liked: by the price

	await t.test('who refused reads it as it is written', async () => {
		const refused = { consent: { categoryPreferences: { analytics: true, personalization: false } } };
		const { row, pinned } = await shown(shop, 'who-walks', refused);
		assert.deepEqual([row, pinned], [written, written]);
		const { body } = await shop.ask('/v1/explain', { anonymousId: 'who-walks', slots: ['row'], context: refused });
		assert.deepEqual([body.slots.row.reason, body.slots.row.candidates[0].reason, body.slots.row.candidates[0].guard], ['default', 'vetoed', 'behaviour-needs-consent']);
	});

	await t.test('boosts by attributes and by the visitor', async () => {
		assert.deepEqual(walks.cheap, ['sandals', 'stove', 'axe', 'boots', 'tent']);
		assert.deepEqual((await shown(shop, 'who-walks', { ...granted, location: { country: 'CA' } })).cheap, ['axe', 'sandals', 'stove', 'boots', 'tent']);
	});

	await t.test('what sells out leaves the list, what comes back and what gets cheaper moves', async () => {
		const tell = (...told) => askFresh(`${shop.url}/v1/products`, { products: told });
		const cheap = (...wanted) => until(async () => {
			for (let i = 0; i < 8; i++) if (`${(await shown(shop, 'who-walks')).cheap}` !== `${wanted}`) return false;
			return true;
		}, { what: `every worker shows ${wanted}` });
		await tell({ id: 'sandals', availability: 'out_of_stock' }, { id: 'rope', availability: 'in_stock' });
		await cheap('stove', 'rope', 'axe', 'boots', 'tent');
		await tell({ id: 'axe', price: 20 }, { id: 'rope', availability: 'out_of_stock' });
		await cheap('axe', 'stove', 'boots', 'tent');
		assert.deepEqual((await shown(shop, 'who-walks')).row, ['boots', 'tent', 'stove', 'axe']);
		await tell(...products.map(([id]) => ({ id, availability: 'out_of_stock' })));
		await until(async () => (await shown(shop, 'who-walks')).cheap === undefined, { what: 'nothing is left' });
		const { body } = await shop.ask('/v1/explain', { anonymousId: 'who-walks', slots: ['cheap'] });
		assert.deepEqual([body.slots.cheap.candidates[0].reason, body.slots.cheap.candidates[0].product], ['out_of_stock', 'tent']);
	});
});

test('why an item stands where it does, when it is asked for, then and later', async (t) => {
	const shop = await open(t, { decisions: { log: 'decisions', sample: 1 } });
	await view(shop, 'who-walks', 'shoes', 'boots');
	const ask = { anonymousId: 'who-walks', slots: ['pinned'], context: granted };
	assert.equal((await shop.ask('/v1/explain', ask)).body.slots.pinned.candidates[0].order, undefined);
	const [{ list, items }] = (await shop.ask('/v1/explain', { ...ask, order: true })).body.slots.pinned.candidates[0].order;
	assert.equal(list, 'products');
	assert.deepEqual(items.map(({ item, as, place }) => [item, as, place]), [['axe', 'pinned', 1], ['sandals', 'shown', 2], ['boots', 'shown', 3],
		['stove', 'over_limit', undefined], ['tent', 'over_limit', undefined], ['rope', 'out_of_stock', undefined]]);
	assert.deepEqual(items[2], { item: 'boots', as: 'shown', place: 3, written: 3, score: 1, by: [{ affinity: 1 }, { price: items[2].by[1].price }], boosts: [] });
	const { body } = await shop.decide(ask);
	let later;
	await until(async () => (later = await runAside(['explain', '--decision', body.decisionId, '--order', '--config', shop.config])).status === 0, { what: 'the decision is in the log' });
	assert.match(later.stdout, /pins +0 +0 +won\n +products: 3 of 6\n +1 +axe +pinned\n +2 +sandals +1: affinity 1; then price 1\n +3 +boots +1: affinity 1; then price 0\.\d+\n +- +stove +0: affinity 0; then price 0\.\d+; over the limit\n +- +tent .*\n +- +rope +out of stock\n/);

	await t.test('a test tells what comes first', () => {
		assert.match(run(['test', '--config', shop.config]).stdout, /^1 passed, 0 failed/m);
		shop.write({ 'next/home.lua': rules.replace('{ "boots", "sandals", "tent" }', '{ "boots", "tent" }'), 'wrong/home.lua': rules.replace('order  = { row', 'order  = { rows') });
		const failed = run(['test', '--rules', `${shop.folder}/next`, '--config', shop.config]);
		assert.equal(failed.status, 1);
		assert.match(failed.stdout + failed.stderr, /home\.lua:\d+: test "who looks at shoes": row: "boots", "tent" were expected first, and it is "boots", "sandals", "tent"; explain --order tells why/);
		assert.match(run(['test', '--rules', `${shop.folder}/wrong`, '--config', shop.config]).stderr, /home\.lua:\d+: test "who looks at shoes": order\.rows: expect names no such slot; name the rule/);
	});

	await t.test('replay makes the same orders again, and says what others would show', async () => {
		assert.match(run(['replay', '--config', shop.config]).stdout, /: 0 would be others/);
		shop.write({ 'next/home.lua': rules.replace('pins = { "axe" }', 'pins = { "tent" }') });
		assert.match(run(['replay', '--rules', `${shop.folder}/next`, '--config', shop.config]).stdout, /: 1 would be others/);
	});
});

test('a decision over a list as long as one may be is logged, and made again', async (t) => {
	const many = Array.from({ length: 200 }, (_, i) => `p-${i}`);
	const shop = await serve(t, {
		files: {
			'feed.jsonl': many.map((id, i) => JSON.stringify({ id, price: 10 + i * 7 % 200, product_type: `c-${i % 5}`, brand: `b-${i % 7}`, availability: i % 9 ? 'in_stock' : 'out_of_stock' })).join('\n'),
			'shop/home.lua': `slot "row" { channel = "web" }
rule "all" { slot = "row", show = { products = order { items = { ${many.map((id) => `"${id}"`)} }, by = { "affinity", "affinity.brand", "in_stock", "price" } } } }`,
		},
		config: { catalog: { file: 'feed.jsonl' }, decisions: { log: 'decisions', sample: 1 } },
	});
	await view(shop, 'who-looks', 'c-3', 'p-3');
	const { body } = await shop.decide({ anonymousId: 'who-looks', slots: ['row'], context: granted });
	assert.equal(body.decisions.row.content.products.length, many.filter((_, i) => i % 9).length);
	const explain = () => runAside(['explain', '--decision', body.decisionId, '--json', '--config', shop.config]);
	let then;
	await until(async () => (then = await explain()).status === 0, { what: 'the decision is in the log' });
	assert.equal(JSON.parse(then.stdout).slots.row.candidates[0].reason, 'won');
	const replayed = run(['replay', '--config', shop.config]);
	assert.match(replayed.stdout, /: 0 would be others/);
	assert.doesNotMatch(replayed.stdout, /could not be determined/);
});
