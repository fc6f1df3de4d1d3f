// The arithmetic of scripts/bench cluster, against what is known of it: what `redis-cli` gives three primaries, and the slots of the
// program's own tags.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { created, fullest, grown, loads, slots, zipf } from '../bench/spread.mjs';
import { program } from './daemon.mjs';

const { stdout } = spawnSync(join(dirname(program), '../tests/bench/slots'), { encoding: 'utf8' });
const slotOf = stdout.trim().split('\n').map(Number);
const whole = (cluster) => cluster.flat().sort((a, b) => a - b).every((slot, i) => slot === i) && cluster.flat().length === slots;

test('slots are given out as redis-cli does', () => {
	const ranges = created(3).map((own) => [own[0], own.at(-1)]);
	assert.deepEqual(ranges, [[0, 5460], [5461, 10922], [10923, 16383]]);
	for (let n = 1; n <= 100; n++) assert.ok(whole(created(n)), `${n}`);
});

test('a primary that is added gets its share from all others', () => {
	let cluster = created(3);
	while (cluster.length < 12) {
		cluster = grown(cluster);
		assert.ok(whole(cluster));
		const sizes = cluster.map((own) => own.length);
		assert.ok(Math.max(...sizes) - Math.min(...sizes) <= cluster.length, `${sizes}`);
	}
});

test('each bucket has sixteen slots of its own, and six primaries hold as many buckets as each other, or nearly', () => {
	assert.equal(slotOf.length, 1024);
	slotOf.forEach((slot, bucket) => assert.equal(slot >> 4, bucket));
	const ones = slotOf.map(() => 1);
	for (const cluster of [created(6), grown(grown(grown(created(3))))]) {
		assert.equal(loads(cluster, slotOf, ones).reduce((a, b) => a + b), 1024);
		assert.ok(fullest(loads(cluster, slotOf, ones)) <= 1.15);
	}
	assert.ok(fullest(loads([created(2)[0].slice(0, 4096), [...created(2)[0].slice(4096), ...created(2)[1]]], slotOf, ones)) > 1.4, 'one that is uneven is told');
});

test('visitors are drawn evenly over buckets, or by Zipf', () => {
	const even = zipf(102400, 0), steep = zipf(102400, 1);
	assert.equal(even.reduce((a, b) => a + b), 102400);
	assert.ok(Math.max(...even) < 150 && Math.min(...even) > 60);
	assert.ok(fullest([...steep]) > 50);
});
