// The store that a file's tests use: LMDB, or what FW_STORE says, "redis" or "cluster". So that what befalls people and their
// identities is seen on each, redis-people.test.mjs and cluster-people.test.mjs say so and then run other files' tests.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { startCluster, startRedis } from './redis.mjs';

export const kind = process.env.FW_STORE ?? 'lmdb';
// A test of what only LMDB has: a keeper, a file.
export const testOnLmdb = kind === 'lmdb' ? test : () => {};

// One cluster for all tests of a file, empty at the beginning of each.
let shared;
export async function sharedCluster() {
	if (!shared) {
		const folder = mkdtempSync(join(tmpdir(), 'fw-'));
		shared = startCluster(undefined, { folder, password: 'secret' });
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
	if (kind === 'redis') return (await startRedis(t, { password: 'secret' })).url('/1');
	return kind === 'cluster' ? (await sharedCluster()).url() : 'lmdb:data';
}

// Of these strikes (faults.mjs) those that there are with this store.
export const strikesHere = (kinds) => kinds.filter((name) => kind === 'lmdb' || !['keeper', 'answering', 'stopped'].includes(name));
