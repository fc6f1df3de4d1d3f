// What is left of somebody in bytes, in whatever way it may stand there: for the tests of erasure.

import { createHash } from 'node:crypto';
import { xxh64 } from './xxh64.mjs';

// As records pack texts (core/base/pack.c): half a byte for the commonest letters, a whole one for others, one and a half for any byte.
const frequent = 'earstonil-cd', others = "bfghjkmpquvwxyz0123456789 _/.:&',+()@#%!?ABCDEFG";
const halves = (bytes) => [...bytes].flatMap((byte) => {
	const c = String.fromCharCode(byte), n = others.indexOf(c);
	return frequent.includes(c) ? [frequent.indexOf(c)] : n >= 0 ? [12 + (n >> 4), n & 15] : [15, byte >> 4, byte & 15];
});
const inPairs = (list) => Buffer.from(Array.from({ length: Math.ceil(list.length / 2) }, (_, i) => list[2 * i] << 4 | (list[2 * i + 1] ?? 0)));

function leb128(x) {
	const bytes = [];
	for (; x >= 0x80n; x >>= 7n) bytes.push(Number(x & 0x7fn) | 0x80);
	return Buffer.from([...bytes, Number(x)]);
}

// Behind an even number of half bytes or an odd one, and as the end of a text whose last digits are a number of its own. One whose letters
// are those of the text before has the number alone, and is not looked for.
function packed(text) {
	const found = new Map(), digits = text.match(/[0-9]{2,18}$/)?.[0] ?? '', put = (name, bytes) => { if (bytes.length >= 6) found.set(`${text} packed, ${name}`, bytes); };
	for (const from of [0, 1]) {
		const all = halves(Buffer.from(text)).slice(from);
		put(`from ${from}`, inPairs(all.slice(0, all.length & ~1)));
		if (digits) put(`with its number, from ${from}`, Buffer.concat([inPairs(halves(Buffer.from(text.slice(0, -digits.length))).slice(from)), leb128(BigInt(`1${digits}`))]));
	}
	return found;
}

// What must not be found, in each way in which one may look for it.
function forms(text) {
	const bytes = Buffer.from(text), found = new Map([[`${text} in plain`, bytes], [`${text} in hex`, Buffer.from(bytes.toString('hex'))], [`${text} in HEX`, Buffer.from(bytes.toString('hex').toUpperCase())]]);
	for (const pad of [0, 1, 2]) {
		const coded = Buffer.concat([Buffer.alloc(pad), bytes]).toString('base64');
		// Only what is the same whatever stands before and behind.
		const from = Math.ceil(pad * 8 / 6), until = Math.floor((pad + bytes.length) * 8 / 6);
		found.set(`${text} in base64, from ${pad}`, Buffer.from(coded.slice(from, until)));
		found.set(`${text} in base64url, from ${pad}`, Buffer.from(coded.slice(from, until).replaceAll('+', '-').replaceAll('/', '_')));
	}
	for (const algorithm of ['md5', 'sha1', 'sha256']) {
		const hash = createHash(algorithm).update(bytes).digest();
		found.set(`${algorithm} of ${text}`, hash.subarray(0, 16));
		found.set(`${algorithm} of ${text} in hex`, Buffer.from(hash.toString('hex').slice(0, 32)));
	}
	return new Map([...found, ...packed(text)]);
}

const letters = { anonymous: 'a', user: 'u', email: 'e', phone: 'p', external: 'o' };
function hashes(name, text) {
	const found = new Map();
	for (const letter of ['', ...Object.values(letters), ...Object.values(letters).map((l) => l.toUpperCase())]) {
		if (Buffer.byteLength(letter + text) >= 32) continue;
		const hash = xxh64(Buffer.from(letter + text), 0n);
		for (const [order, bytes] of [['big', Buffer.alloc(8)], ['little', Buffer.alloc(8)]]) {
			if (order === 'big') bytes.writeBigUInt64BE(hash);
			else bytes.writeBigUInt64LE(hash);
			found.set(`the ${order}-endian hash of ${letter} ${text}`, bytes);
			found.set(`the ${order}-endian hash of ${letter} ${text} in hex`, Buffer.from(bytes.toString('hex')));
		}
	}
	return found;
}

const needles = (texts) => new Map(texts.flatMap((text) => [...forms(text), ...hashes('', text)]));

// The names of what is found of these texts in a file's bytes (a Buffer).
export function foundIn(file, texts) {
	// One walk for all of them: needles by their first four bytes.
	const by = new Map(), maybe = new Uint8Array(1 << 16), names = new Set();
	for (const [name, needle] of needles(texts)) {
		const first = needle.readUInt32LE();
		by.set(first, [...by.get(first) ?? [], [name, needle]]);
		maybe[first & 0xffff] = 1;
	}
	for (let at = 0; at + 4 <= file.length; at++) {
		if (!maybe[file[at] | file[at + 1] << 8]) continue;
		for (const [name, needle] of by.get(file.readUInt32LE(at)) ?? []) if (file.compare(needle, 0, needle.length, at, Math.min(at + needle.length, file.length)) === 0) names.add(name);
	}
	return [...names];
}
