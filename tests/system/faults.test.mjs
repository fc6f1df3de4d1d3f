// What befalls the processes under load, at seeded moments. Each test ends with acknowledged = stored, by count per person, and
// again after the whole acknowledged stream was sent once more.
//
// Seen failing on builds without a protection (meson -Dc_args=-D…): FW_BREAK_DEDUPE fails all of them; FW_BREAK_VERSIONS all,
// with less stored than acknowledged; FW_BREAK_FSYNC (an answer before its commit) the keeper's, "nothing happens", "all" and
// "any"; FW_BREAK_RESUBMIT (a keeper does not know a batch again) only "between a commit and its answers", for elsewhere versions
// and messageIds catch what comes twice.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { assertExactlyOnce, assertStored, kin, seed } from './acknowledged.mjs';
import { ask, long, until } from './daemon.mjs';
import { openShop, strikeUnderLoad } from './faults.mjs';
import { strikesHere, testOnLmdb } from './stores.mjs';

// Strikes under load, then what has to be true; at length five shops one after the other, for a daemon that is struck again and
// again waits longer each time before it begins anew.
async function struck(t, kinds, options = {}, then = () => {}) {
	for (let round = 0; round < (long ? 5 : 1); round++) {
		const run = await strikeUnderLoad(t, kinds, { from: seed + round * 10, ...options });
		then(run);
		await assertExactlyOnce(run.shop.url, run.load);
		if (options.nameless) await assertStored(run.shop.url(), run.once.events, 'what was handed in to a keeper twice counts once');
		await run.shop.daemon.stop();
	}
}

const unbroken = ({ load }) => assert.equal(load.broken, 0);
const unnoticed = ({ load }) => assert.deepEqual([load.broken, load.refused], [0, {}], 'no request fails');

test('nothing happens: visitors who come to all workers at once', (t) => struck(t, ['nothing'], { people: long ? 2000 : 5 }, unnoticed));

test('kill -9 of a worker', (t) => struck(t, ['worker']));

testOnLmdb('kill -9 of the keeper', (t) => struck(t, ['keeper'], { nameless: true }, unbroken));

testOnLmdb('kill -9 of the keeper between a commit and its answers', async (t) => {
	if (spawnSync('strace', ['-V']).error) return t.skip('there is no strace');
	await struck(t, ['answering'], { nameless: true }, unbroken);
});

test('kill -9 of the loader', (t) => struck(t, ['loader'], {}, unbroken));

test('kill -9 of the master', (t) => struck(t, ['master'], { times: long ? 10 : 2 }));

test('kill -9 of all', (t) => struck(t, ['all'], { times: long ? 10 : 2 }));

// What strikes it must not take another process for it: a leak sanitizer under strace reports a fault of its own.
testOnLmdb('the keeper is told apart from a worker whose loader has died', async (t) => {
	const shop = await openShop(t);
	// A loader that dies before its generation serves ends a first start: nobody goes on without it. The first answer says that it serves.
	await ask(`${shop.url()}/livez`);
	const { keeper, loaders: [loader], workers: [worker] } = kin(shop.master());
	const parent = () => Number(readFileSync(`/proc/${worker}/stat`, 'utf8').match(/\) \S (\d+)/)[1]);
	process.kill(worker, 'SIGSTOP'); // else it may have ended by then
	process.kill(loader, 'SIGKILL');
	await until(() => parent() === shop.master(), { what: "the worker is the master's child" });
	const now = kin(shop.master());
	assert.equal(now.keeper, keeper);
	assert.ok(now.workers.includes(worker) && !now.loaders.includes(worker));
	process.kill(worker, 'SIGCONT');
});

testOnLmdb('SIGSTOP of the keeper', (t) => struck(t, ['stopped'], { nameless: true }, unbroken));

test('SIGHUP', (t) => struck(t, ['reload'], { nameless: true }, unnoticed));

test('any of them', (t) => struck(t, strikesHere(['worker', 'keeper', 'loader', 'master', 'all', 'stopped', 'reload']), { times: long ? 20 : 5 }));
