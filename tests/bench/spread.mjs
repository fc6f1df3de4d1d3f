// What lies where on a Redis Cluster, and who has how much to do: arithmetic, without a server. A cluster is the slots of each of
// its primaries.

export const slots = 16384;

// As `redis-cli --cluster create` gives them out: in order, in equal parts, rounded (clusterManagerCommandCreate of Redis 7).
export function created(primaries) {
	const share = slots / primaries, all = [];
	for (let i = 0, first = 0, cursor = 0; i < primaries; i++, cursor += share) {
		let last = i === primaries - 1 ? slots - 1 : Math.round(cursor + share - 1);
		if (last < first) last = first;
		all.push(Array.from({ length: last - first + 1 }, (_, k) => first + k));
		first = last + 1;
	}
	return all;
}

// One more primary, and its share from all others, as `redis-cli --cluster rebalance --cluster-use-empty-masters` moves it: from each the first of
// its slots, as many as it has too many.
export function grown(cluster) {
	const share = Math.floor(slots / (cluster.length + 1)), added = [];
	const kept = cluster.map((own) => {
		const many = Math.max(0, Math.min(own.length - share, share - added.length));
		added.push(...own.slice(0, many));
		return own.slice(many);
	});
	return [...kept, added];
}

// The sum of `weights` (by bucket) at each primary; `slotOf`: by bucket.
export function loads(cluster, slotOf, weights) {
	const owner = new Array(slots);
	cluster.forEach((own, node) => own.forEach((slot) => { owner[slot] = node; }));
	const sums = new Array(cluster.length).fill(0);
	slotOf.forEach((slot, bucket) => { sums[owner[slot]] += weights[bucket]; });
	return sums;
}

// The largest over the mean.
export const fullest = (sums) => Math.max(...sums) * sums.length / sums.reduce((a, b) => a + b, 0);

// Whole numbers below 2^32, scattered (the finalizer of MurmurHash3, Austin Appleby, public domain): a visitor's bucket is by a hash.
function scattered(x) {
	let h = (x ^ 0x9e3779b9) >>> 0;
	h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return (h ^ (h >>> 16)) >>> 0;
}

// What each bucket has to do where the k-th of so many visitors comes 1/k^s as often as the first; s 0: all alike.
export function zipf(visitors, s, { seed = 1, buckets = 1024 } = {}) {
	const weights = new Float64Array(buckets);
	for (let k = 1; k <= visitors; k++) weights[scattered(k + Math.imul(seed, 0x3c6ef372)) >>> 22] += k ** -s;
	return weights;
}

// The share of all that the first of them has.
export const share = (visitors, s) => {
	let sum = 0;
	for (let k = 1; k <= visitors; k++) sum += k ** -s;
	return 1 / sum;
};
