// What a text costs, held against Twilio's own segment calculator on random texts, the boundaries of segments among them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { SegmentedMessage } from 'sms-segments-calculator';
import { random, seed } from './acknowledged.mjs';
import { long, program } from './daemon.mjs';

const reader = join(dirname(program), '../tests/system/sms_text');

const plain = [...'abcXYZ 0189@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!"#¤%&\'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà\n'];
const extended = [...'^{}\\[~]|€'];
// Each a character of its own: what belongs together is kept together by the calculator, and not by a gateway.
const beyond = [...'яшçłő你好あ'], pairs = [...'😀🎉𝒳'], written = [...'“”‘’–—…\u00a0«»'];

// Lengths about where a segment ends are likely.
function someText(below) {
	const pools = [[plain], [plain, extended], [plain, extended, written], [plain, beyond], [beyond, pairs], [pairs], [extended]][below(7)];
	const about = [1, 35, 67, 70, 76, 80, 134, 153, 160, 306, 459][below(11)] + below(7) - 3;
	let text = '';
	for (let i = 0; i < Math.max(1, about); i++) {
		const pool = pools[below(pools.length)];
		text += pool[below(pool.length)];
	}
	return text;
}

test('alphabet, units and segments are those that Twilio\'s calculator finds', () => {
	const rnd = random(seed), below = (n) => Math.floor(rnd() * n);
	const texts = Array.from({ length: long ? 20000 : 2000 }, () => someText(below));
	const { stdout, status } = spawnSync(reader, { input: texts.map((text) => text + '\0').join(''), maxBuffer: 1 << 28, encoding: 'utf8' });
	assert.equal(status, 0);
	const found = stdout.split('\0').slice(0, -1).map((line) => line.match(/^(\S+) (\d+) (\d+) ([^]*)$/).slice(1));
	assert.equal(found.length, texts.length);
	const seen = new Set();
	found.forEach(([alphabet, units, segments, sent], i) => {
		const theirs = new SegmentedMessage(sent);
		const expected = { alphabet: theirs.encodingName, segments: theirs.segmentsCount };
		assert.deepEqual({ alphabet, segments: Number(segments) }, expected, `seed ${seed}: ${JSON.stringify(texts[i])}`);
		// In UCS-2 nothing is written otherwise than it was.
		if (alphabet === 'UCS-2') assert.deepEqual([sent, Number(units)], [texts[i], texts[i].length]);
		seen.add(`${alphabet} ${segments}`);
	});
	for (const which of ['GSM-7 1', 'GSM-7 2', 'GSM-7 3', 'UCS-2 1', 'UCS-2 2', 'UCS-2 3']) assert.ok(seen.has(which), `texts of ${which}`);
});
