// The store that a file's tests use: LMDB, or what FW_STORE says, "redis" or "cluster". So that what befalls people, their
// identities and their messages is seen on each, redis-people.test.mjs and cluster-people.test.mjs say so and then run other files' tests.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nodeTest, { after } from 'node:test';
import { atLength } from './daemon.mjs';
import { startCluster, startRedis } from './redis.mjs';
import { runAside } from './server.mjs';

export const kind = process.env.FW_STORE ?? 'lmdb';
// A test of what another store shows no better is run there at length; one that tells most of it, always; and one of what only LMDB
// has, a keeper or a file, never.
export const test = kind === 'lmdb' || atLength ? nodeTest : () => {};
export const testEverywhere = nodeTest;
export const testOnLmdb = kind === 'lmdb' ? nodeTest : () => {};

// Whose tests another store runs. What befalls people and their identities says most of it; a cluster shows what one Redis does not,
// where people are in several places, so there more of the others have a test that is always run.
const faults = ['household', 'caps', 'faults', 'faults-client', 'identity-faults', 'messages-faults', 'rights-faults'];
const others = ['rights', 'claims', 'consent', 'living', 'track', 'identity', 'import', 'letters', 'pages', 'messages', 'messages-held', 'messages-many', 'messages-restart', 'triggers', 'suppress-faults', 'mail', 'sms', 'decisions', 'decisions-messages', 'plugin-values', 'restock'];
const always = { redis: ['household', 'caps', 'faults-client', 'messages', 'messages-faults', 'plugin-values', 'restock'], cluster: ['caps', 'identity-faults', 'rights', 'consent', 'identity', 'import', 'letters'] };
export const filesHere = atLength ? [...faults, ...others] : always[kind];

// `floorwalker import --json`: { status, stderr, applied, refused, … }.
export async function importAside(args) {
	const { status, stdout, stderr } = await runAside(['import', '--json', ...args]);
	return { status, stderr, ...(stdout ? JSON.parse(stdout) : {}) };
}

// Another store in the configuration.
export function moveTo(config, store) {
	const text = readFileSync(config, 'utf8'), moved = text.replace(/^store = .*$/m, `store = ${JSON.stringify(store)}`).replace(/^durability = .*\n/m, '');
	assert.notEqual(moved, text);
	writeFileSync(config, moved);
}

// What Redis writes to its files stands there as it is, so that one can look for it.
const plain = ['--rdbcompression', 'no'];

// One cluster for all tests of a file, empty at the beginning of each.
let shared, nodes = [];
export async function sharedCluster() {
	if (!shared) {
		const folder = mkdtempSync(join(tmpdir(), 'fw-'));
		shared = startCluster(undefined, { folder, password: 'secret', args: plain });
		shared.folder = folder;
	}
	const cluster = await shared;
	await cluster.settle();
	await cluster.flush();
	return cluster;
}

after(async () => {
	if (!shared) return;
	await (await shared).stop();
	rmSync(shared.folder, { recursive: true, force: true });
});

// What a configuration's `store` is, for data of this test's own.
export async function storeOf(t) {
	if (kind === 'lmdb') return 'lmdb:data';
	if (kind === 'redis') nodes = [await startRedis(t, { password: 'secret', args: plain })];
	else ({ nodes } = await sharedCluster());
	return kind === 'redis' ? nodes[0].url('/1') : (await shared).url();
}

const filesIn = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((file) => (file.isDirectory() ? filesIn(join(folder, file.name)) : file.isFile() && file.name !== 'log' ? [join(folder, file.name)] : []));

// All that stands in the files of a shop's store, which is the one that the last storeOf made: on a cluster, of every node and replica.
export function bytesInStore(shop) {
	const folders = kind === 'lmdb' ? [join(shop.folder, 'data')] : nodes.map(({ folder }) => folder);
	return folders.flatMap(filesIn).map((file) => readFileSync(file, 'latin1')).join('\0');
}

// The store's server is killed, one that has its part of a cluster, and started again after `ms`; `thereupon` is called as soon as it is dead.
export async function killStore(rnd, ms, thereupon) {
	const cluster = kind === 'cluster' && await shared, all = cluster ? await cluster.primaries() : nodes;
	const node = all[Math.floor(rnd() * all.length)];
	await node.stop();
	thereupon();
	await new Promise((done) => setTimeout(done, ms));
	await node.start();
	if (cluster) await cluster.settle();
}

// The replicas of a cluster begin anew: each is sent all that its primary has, by a file.
export async function replicasBeginAnew() {
	if (kind !== 'cluster') return;
	const cluster = await shared, primaries = await cluster.primaries(), replicas = cluster.nodes.filter((node) => !primaries.includes(node));
	await Promise.all(replicas.map((node) => node.stop()));
	await Promise.all(replicas.map((node) => node.start()));
	await cluster.settle();
}

// Of these strikes (faults.mjs) those that there are with this store.
export const strikesHere = (kinds) => kinds.filter((name) => kind === 'lmdb' || !['keeper', 'answering', 'stopped'].includes(name));
