// A second rule set decides again what was answered, with no effect: what it would have changed is counted by slot and by rule, no answer is
// another for it, and one that does not load hinders nobody.

import assert from 'node:assert/strict';
import test from 'node:test';
import { long } from './daemon.mjs';
import { bearer, event, secret, servePeople, until } from './people.mjs';
import { askFresh, metrics } from './server.mjs';

const slots = `slot "hero" { channel = "web", default = { banner = "plain" } }
slot "strip" { channel = "web", show_up_to = 2 }
`;
const live = `${slots}slot "old" { channel = "web" }
rule "boots" { slot = "hero", priority = 5, when = { viewed = { category = "boots", at_least = 2 } }, show = { banner = "boots" } }
rule "canada" { slot = "hero", when = { country = "CA" }, show = { banner = "ca" } }
rule "capped" { slot = "strip", priority = 2, show = { text = "once" } }
rule "long" { slot = "strip", show = { text = "always" } }
rule "old" { slot = "old", show = { text = "old" } }
cap "once-a-day" { applies = { rule = "capped" }, limit = 1, per = "1d" }
`;
// Another content of "long", boots are no longer first, "old" is gone, one rule is new, and one fails.
const next = `${slots}rule "boots" { slot = "hero", priority = -1, when = { viewed = { category = "boots", at_least = 2 } }, show = { banner = "boots" } }
rule "canada" { slot = "hero", when = { country = "CA" }, show = { banner = "ca" } }
rule "germany" { slot = "hero", when = { country = "DE" }, show = function(v) return { banner = "de" } end }
rule "capped" { slot = "strip", priority = 2, show = { text = "once" } }
rule "long" { slot = "strip", show = { text = "for ever" } }
rule "fails" { slot = "strip", priority = 3, when = function(v) error("no") end, show = { text = "no" } }
cap "once-a-day" { applies = { rule = "capped" }, limit = 1, per = "1d" }
`;
const context = (country) => ({ location: { country }, userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0' });

async function open(t, { shadow = { rules: 'next', sample: 1 }, files = {} } = {}) {
	const shop = await servePeople(t, { files: { 'shop/live.lua': live, 'next/next.lua': next, ...files }, config: { workers: 2, shadow } });
	const decide = async (body) => {
		const { status, text } = await askFresh(`${shop.url}/v1/decide`, body, { authorization: `Bearer ${secret}` });
		assert.equal(status, 200, text);
		return JSON.parse(text).decisions;
	};
	const told = () => shop.status().shadow;
	return Object.assign(shop, { decide, told, counted: (n) => until(() => told().decisions >= n && told(), { what: `${n} decisions are made again` }) });
}

const byName = (list, name, ...keys) => Object.fromEntries(list.map((one) => [one[name], keys.map((key) => one[key])]));

test('what it would have changed is told by slot and by rule, and no answer is another', async (t) => {
	const shop = await open(t), who = { anonymousId: 'device-of-anna-000001' };
	await shop.send('batch', { batch: [1, 2, 3].map(() => event(who)) });
	const asked = ['hero', 'strip', 'old'];
	const shown = [];
	for (let i = 0; i < 4; i++) shown.push(await shop.decide({ ...who, slots: asked, context: context('CA') }));
	for (let i = 0; i < 3; i++) shown.push(await shop.decide({ anonymousId: `device-of-many-00000${i}`, slots: ['hero'], context: context('DE') }));
	// The live rules' answers: the cap is taken once, by what was shown and not by the shadow.
	assert.deepEqual(shown.slice(0, 4).map(({ hero, strip, old }) => [hero.content.banner, strip.winners.map(({ rule }) => rule), old.content.text]),
		[['boots', ['capped', 'long'], 'old'], ...Array.from({ length: 3 }, () => ['boots', ['long'], 'old'])]);
	assert.deepEqual(shown.slice(4).map(({ hero }) => hero.content.banner), ['plain', 'plain', 'plain']);
	const { rules, error, sample, decisions, changed, failed, functionsFailed, slots: places, byRule, uncounted } = await shop.counted(7);
	assert.match(rules, /\/next$/);
	assert.deepEqual([error, sample, decisions, changed, failed, functionsFailed, uncounted], [null, 1, 7, 7, 0, 4, 0]);
	assert.deepEqual(byName(places, 'slot', 'decisions', 'changed'), { hero: [7, 7], strip: [4, 4], old: [4, 4] });
	assert.deepEqual(byName(byRule, 'rule', 'lost', 'gained'), { boots: [4, 0], canada: [0, 4], germany: [0, 3], old: [4, 0] });
	const { text } = await askFresh(`${shop.url}/metrics`, undefined, bearer(secret).headers);
	for (const line of ['floorwalker_shadow_loaded 1', 'floorwalker_shadow_decisions_total 7', 'floorwalker_shadow_changed_total 7', 'floorwalker_shadow_slot_decisions_total{slot="hero"} 7',
		'floorwalker_shadow_slot_changed_total{slot="strip"} 4', 'floorwalker_shadow_rule_lost_total{rule="boots"} 4', 'floorwalker_shadow_rule_gained_total{rule="germany"} 3']) assert.ok(text.split('\n').includes(line), line);
	// Counts of rules are those of what was shown.
	const { text: counts } = await askFresh(`${shop.url}/v1/rules`, undefined, bearer(secret).headers);
	assert.deepEqual(JSON.parse(counts).rules.filter(({ rule }) => ['boots', 'capped', 'canada'].includes(rule)).map(({ rule, won }) => [rule, won]).sort(), [['boots', 4], ['canada', 0], ['capped', 1]]);
	const said = shop.command('status').stdout;
	assert.match(said, /\nshadow +\S+\/next: 7 decisions \(a sample of 100 %\), 7 would be others \(100 %\)\n/);
	assert.match(said, /\n +hero: 7 of 7\n/);
	assert.match(said, /\n +rule boots: 4 lost, 0 gained\n/);
	// Explanations have no shadow; a reload begins anew.
	await askFresh(`${shop.url}/v1/explain`, { ...who, slots: ['hero'], context: context('CA') }, bearer(secret).headers);
	shop.write({ 'next/next.lua': live });
	assert.equal(shop.reload().status, 0);
	assert.equal(shop.told().decisions, 0);
	await shop.decide({ ...who, slots: asked, context: context('CA') });
	const same = await shop.counted(1);
	assert.deepEqual([same.changed, same.byRule], [0, []]);
});

test('of a sample so many are made again, and without one none', async (t) => {
	const shop = await open(t, { shadow: { rules: 'next', sample: 0.25 } }), n = long ? 2000 : 80;
	for (let i = 0; i < n; i++) await shop.decide({ anonymousId: `device-of-many-${i}`, slots: ['hero'], context: context('DE') });
	const { decisions } = await shop.counted(n / 4 - 2);
	assert.ok(Math.abs(decisions - n / 4) <= 2, `${decisions} of ${n}`);
	shop.configure({ shadow: undefined });
	assert.equal(shop.reload().status, 0);
	assert.equal(shop.told(), null);
	assert.equal(Object.keys(await metrics(shop)).filter((name) => name.includes('shadow')).length, 0);
});

test('one that does not load hinders nobody, and is named', async (t) => {
	const shop = await open(t, { files: { 'next/next.lua': 'rule "x" { slot = "hreo", show = { a = 1 } }\n' } });
	assert.equal((await shop.decide({ slots: ['hero'], context: context('CA') })).hero.content.banner, 'ca');
	const { error, ruleSet, decisions } = shop.told();
	assert.deepEqual([ruleSet, decisions], [null, 0]);
	assert.match(error, /next\.lua:1: .*hreo/);
	assert.match(shop.command('status').stdout, /\nshadow +\S+\/next: does not load: .*hreo/);
	assert.ok(shop.log().some(({ level, msg, file }) => level === 'warn' && /shadow's rules do not load/.test(msg) && /next\.lua/.test(file)));
	assert.equal((await metrics(shop)).floorwalker_shadow_loaded, 0);
	shop.configure({ shadow: 'nowhere' });
	assert.equal(shop.reload().status, 0);
	assert.match(shop.told().error, /nowhere/);
	// What the configuration says wrongly is refused, as all of it is.
	for (const [shadow, wrong] of [[7, /shadow/], [{ sample: 1 }, /folder/], [{ rules: 'next', sample: 2 }, /sample/], [{ rule: 'next' }, /rule/]]) {
		shop.configure({ shadow });
		const { status, stderr, stdout } = shop.reload();
		assert.equal(status, 1);
		assert.match(stderr + stdout, wrong);
	}
});
