// XXH64 of fewer than 32 bytes (github.com/Cyan4973/xxHash, doc/xxhash_spec.md).
export function xxh64(bytes, from) {
	const [p1, p2, p3, p4, p5] = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n];
	const u = (x) => BigInt.asUintN(64, x);
	const turn = (x, n) => u(x << n) | (x >> (64n - n));
	let h = u(from + p5 + BigInt(bytes.length)), at = 0;
	for (; at + 8 <= bytes.length; at += 8) h = u(turn(h ^ u(turn(u(bytes.readBigUInt64LE(at) * p2), 31n) * p1), 27n) * p1 + p4);
	if (at + 4 <= bytes.length) {
		h = u(turn(h ^ u(BigInt(bytes.readUInt32LE(at)) * p1), 23n) * p2 + p3);
		at += 4;
	}
	for (; at < bytes.length; at++) h = u(turn(h ^ u(BigInt(bytes[at]) * p5), 11n) * p1);
	h = u((h ^ (h >> 33n)) * p2);
	h = u((h ^ (h >> 29n)) * p3);
	return h ^ (h >> 32n);
}
