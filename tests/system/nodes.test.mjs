// Two daemons on one store: what one of them finds out about a rule holds for both.

import './release.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { until, writeFiles } from './daemon.mjs';
import { startRedis } from './redis.mjs';
import { serve } from './server.mjs';

const files = { 'shop/home.lua': `slot "s" { channel = "web", default = { a = 1 } }
rule "plain" { slot = "s", show = { b = 1 } }
rule "long" { slot = "s", priority = 1, when = function(v) if v.page_type == "long" then while true do end end return false end, show = { b = 2 } }\n` };

// Asked by so many different visitors that the rule is set aside.
async function overspend(shop) {
	for (let i = 0; i < 25; i++) await shop.decide({ anonymousId: `visitor-${i}`, slots: ['s'], context: { page: { type: 'long' } } });
}

const isSetAside = async (shop, rule) => Boolean((await shop.ask('/v1/rules')).body.rules.find((r) => r.rule === rule).setAsideUntil);

test('a rule that one node sets aside is set aside by the other within seconds', async (t) => {
	const redis = await startRedis(t), config = { store: redis.url(), workers: 2 };
	const [one, other] = [await serve(t, { config, files }), await serve(t, { config, files })];
	await overspend(one);
	await until(() => isSetAside(one, 'long'));
	await until(() => isSetAside(other, 'long'), { seconds: 10 });
	assert.equal(await isSetAside(other, 'plain'), false);
	await until(() => other.log().some((line) => line.msg === 'a rule is set aside, as another node has done' && line.rule === 'long'));
	const { body } = await other.decide({ anonymousId: 'somebody', slots: ['s'], context: { page: { type: 'long' } } });
	assert.deepEqual(body.decisions.s.content, { b: 1 });
});

test('another rule set is another matter', async (t) => {
	const redis = await startRedis(t), config = { store: redis.url(), workers: 1 };
	const changed = { 'shop/home.lua': files['shop/home.lua'].replace('{ b = 2 }', '{ b = 3 }') };
	const [one, other, like] = [await serve(t, { config, files }), await serve(t, { config, files: changed }), await serve(t, { config, files })];
	await overspend(one);
	await until(() => isSetAside(like, 'long'), { seconds: 10 });
	assert.equal(await isSetAside(other, 'long'), false);
	writeFiles(other.folder, files);
	assert.equal(other.reload().status, 0);
	await until(() => isSetAside(other, 'long'), { seconds: 10, what: 'with the same rules it is' });
});
