// Seeded randomness (mulberry32): the same seed gives the same numbers everywhere.

export class Random {
	constructor(seed) {
		this.state = seed >>> 0;
	}

	// A number from 0 up to, not including, 1.
	next() {
		this.state = (this.state + 0x6d2b79f5) >>> 0;
		let mixed = this.state;
		mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
	}

	chance(share) {
		return this.next() < share;
	}

	// A whole number, both ends included.
	between(low, high) {
		return low + Math.floor(this.next() * (high - low + 1));
	}

	pick(list) {
		return list[this.between(0, list.length - 1)];
	}

	shuffle(list) {
		const mixed = [...list];
		for (let i = mixed.length - 1; i > 0; i--) {
			const j = this.between(0, i);
			[mixed[i], mixed[j]] = [mixed[j], mixed[i]];
		}
		return mixed;
	}

	// `count` different members, in random order.
	sample(list, count) {
		return this.shuffle(list).slice(0, count);
	}

	// One of [[weight, member], …] by weight.
	weighted(pairs) {
		let point = this.next() * pairs.reduce((sum, [weight]) => sum + weight, 0);
		for (const [weight, member] of pairs) {
			point -= weight;
			if (point < 0) return member;
		}
		return pairs.at(-1)[1];
	}
}
