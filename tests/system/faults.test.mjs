// What befalls the processes under load, at seeded moments. Each test ends with acknowledged = stored, by count per person, and
// again after the whole acknowledged stream was sent once more.
//
// Seen failing on builds without a protection (meson -Dc_args=-D…): FW_BREAK_DEDUPE fails all of them; FW_BREAK_VERSIONS all,
// with less stored than acknowledged; FW_BREAK_FSYNC (an answer before its commit) the keeper's, "nothing happens", "all" and
// "any"; FW_BREAK_RESUBMIT (a keeper does not know a batch again) only "between a commit and its answers", for elsewhere versions
// and messageIds catch what comes twice.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { assertExactlyOnce, assertStored } from './acknowledged.mjs';
import { long } from './daemon.mjs';
import { strikeUnderLoad } from './faults.mjs';

const exactly = ({ shop, load }) => assertExactlyOnce(shop.url, load);

test('nothing happens: visitors who come to all workers at once', async (t) => {
	const run = await strikeUnderLoad(t, ['nothing'], { people: long ? 2000 : 5 });
	assert.deepEqual([run.load.broken, run.load.refused], [0, {}]);
	await exactly(run);
});

test('kill -9 of a worker', async (t) => exactly(await strikeUnderLoad(t, ['worker'])));

test('kill -9 of the keeper', async (t) => {
	const run = await strikeUnderLoad(t, ['keeper'], { nameless: true });
	assert.equal(run.load.broken, 0);
	await exactly(run);
	await assertStored(run.shop.url(), run.once.events, 'what was handed in to a keeper twice counts once');
});

test('kill -9 of the keeper between a commit and its answers', async (t) => {
	if (spawnSync('strace', ['-V']).error) return t.skip('there is no strace');
	const run = await strikeUnderLoad(t, ['answering'], { nameless: true });
	assert.equal(run.load.broken, 0);
	await exactly(run);
	await assertStored(run.shop.url(), run.once.events, 'what was handed in to a keeper twice counts once');
});

test('kill -9 of the loader', async (t) => exactly(await strikeUnderLoad(t, ['loader'])));

test('kill -9 of the master', async (t) => exactly(await strikeUnderLoad(t, ['master'], { times: long ? 20 : 2 })));

test('kill -9 of all', async (t) => exactly(await strikeUnderLoad(t, ['all'], { times: long ? 20 : 2 })));

test('SIGSTOP of the keeper', async (t) => {
	const run = await strikeUnderLoad(t, ['stopped'], { nameless: true });
	await exactly(run);
	await assertStored(run.shop.url(), run.once.events, 'what was handed in to a keeper twice counts once');
});

test('SIGHUP', async (t) => {
	const run = await strikeUnderLoad(t, ['reload'], { nameless: true });
	assert.deepEqual([run.load.broken, run.load.refused], [0, {}], 'no request fails because of a reload');
	await exactly(run);
	await assertStored(run.shop.url(), run.once.events, 'what was handed in to a keeper twice counts once');
});

test('any of them', async (t) => exactly(await strikeUnderLoad(t, ['worker', 'keeper', 'loader', 'master', 'all', 'stopped', 'reload'], { times: long ? 100 : 5 })));
