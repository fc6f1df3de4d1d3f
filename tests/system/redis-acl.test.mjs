// The rights that core/README.md gives a user of Redis's access lists are enough: a daemon lives on them, remembers, sends, erases, and its
// store is copied, while Redis notes every refusal, of which there is none. Nor does it get more: the keys of others are not his.
// Seen failing without +config|get in that line of core/README.md.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ask, temporaryFolder, tree, until } from './daemon.mjs';
import { fakeChannel, handedTo, withMessages } from './messages.mjs';
import { bearer, event, secret, servePeople } from './people.mjs';
import { startCluster, startRedis } from './redis.mjs';
import { quick, runAside } from './server.mjs';

const [, names, commands] = readFileSync(join(tree, 'core/README.md'), 'utf8').match(/A user of\s+Redis's access lists needs `(~[^`]+)` and `(\+[^`]+)`/);
const user = ['--user', 'least', 'on', '>0123456789', ...names.split(' '), ...commands.split(' ')];

const rules = 'rule "receipt" { channel = "email", on = "Order Completed", class = "transactional", send = { text = "thank you" } }\n';

// What a store is for, on a store of such a user: `nodes` are the servers, `forget` loses their scripts.
async function live(t, url, nodes, durability) {
	const shop = withMessages(await servePeople(t, {
		files: { 'shop/messages.lua': rules },
		config: { store: url, durability, workers: 2, plugin_path: fakeChannel(t), plugins: { web: {}, email: { file: 'sent.jsonl' } }, limits: quick, decisions: { log: 'decisions', sample: 1 } },
	}));
	for (let i = 0; i < 10; i++) await shop.meet(`u-${i}`, `u-${i}@shop.example`);
	for (let i = 0; i < 10; i++) await shop.happen(`u-${i}`, 'Order Completed', { order_id: `A-${i}`, total: 5 });
	await until(() => handedTo(join(shop.folder, 'sent.jsonl')).length === 10, { what: 'all are sent' });
	assert.equal((await shop.send('track', event())).status, 200);
	assert.equal(await shop.seen({ anonymousId: 'visitor-000000001' }), 1);
	for (const node of nodes) await node.ask('SCRIPT', 'FLUSH');
	assert.equal((await shop.send('track', event())).status, 200);
	await until(async () => await shop.seen({ anonymousId: 'visitor-000000001' }) === 2, { what: 'the second view counts' });
	assert.equal((await shop.reloadAside()).status, 0);
	assert.equal((await ask(`${shop.url}/readyz?verbose`)).body.store.reachable, true);
	// Whoever is erased goes out of the servers' files, too.
	const erased = await ask(`${shop.url}/v1/visitors/u-3`, undefined, { method: 'DELETE', ...bearer(secret) });
	assert.ok([200, 202].includes(erased.status), JSON.stringify(erased.body));
	await until(async () => (await ask(`${shop.url}/v1/erasures/${erased.body.erasure}`, undefined, bearer(secret))).body.state === 'complete', { what: 'the erasure is complete', seconds: 60 });
	const { status, stdout, stderr } = await runAside(['store', 'copy', `lmdb:${join(temporaryFolder(t), 'copy')}`, '--json', '--config', shop.config]);
	assert.deepEqual([status, JSON.parse(stdout).ok], [0, true], stderr);
	assert.equal(await shop.daemon.stop(), 0);
	for (const node of nodes) assert.deepEqual(await node.ask('ACL', 'LOG'), [], `what was refused at ${node.port}`);
	assert.doesNotMatch(shop.daemon.log(), /NOPERM|no permissions/i);
	const others = await nodes[0].ask('ACL', 'DRYRUN', 'least', 'GET', 'somebody-elses');
	assert.match(String(others), /no permissions/);
	assert.match(String(await nodes[0].ask('ACL', 'DRYRUN', 'least', 'FLUSHALL')), /no permissions/);
}

test('a Redis whose user has just these rights', async (t) => {
	const redis = await startRedis(t, { password: 'secret', args: user });
	await live(t, `redis://least:0123456789@127.0.0.1:${redis.port}/0`, [redis], 'server');
});

test('a cluster whose user has just these rights', async (t) => {
	const cluster = await startCluster(t, { password: 'secret', args: user });
	await live(t, `redis-cluster://least:0123456789@${cluster.nodes.slice(0, 2).map(({ announced }) => `127.0.0.1:${announced}`).join(',')}`, cluster.nodes, 'replicated');
});
