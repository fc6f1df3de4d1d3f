// Makes a failing case smaller, one removal at a time, for as long as it still fails.

// What refers to something must find it, or the engine would rightly refuse the set.
export function wellFormed({ set, slots }) {
	const ids = (list) => new Set(list.map(({ id }) => id));
	const [places, segments, rules] = [ids(set.slots), ids(set.segments), ids(set.rules)];
	const tags = new Set(set.rules.flatMap((rule) => rule.tags ?? []));
	const named = (value) => [value ?? []].flat();
	return slots.length > 0 && slots.every((slot) => places.has(slot))
		&& set.rules.every((rule) => places.has(rule.slot))
		&& set.guards.every(({ require, forbid }) => require || forbid)
		&& [...set.guards, ...(set.caps ?? [])].every(({ applies = {} }) => named(applies.slot).every((id) => places.has(id))
			&& named(applies.rule).every((id) => rules.has(id)) && named(applies.tag).every((tag) => tags.has(tag)))
		&& segmentsIn(set).every((id) => segments.has(id));
}

function segmentsIn(node) {
	if (node === null || typeof node !== 'object') return [];
	if (Array.isArray(node)) return node.flatMap(segmentsIn);
	if (node.kind === 'fact' && node.fact === 'segment') return namesIn(node.matcher);
	return [...(node.is === 'segment' ? [node.name] : []), ...Object.values(node).flatMap(segmentsIn)];
}

const namesIn = (matcher) => (matcher.of ? namesIn(matcher.of) : matcher.values ?? [matcher.value]);

// The smallest case found: { set, slots, visitor }. `fails(case)` runs it; at most `budget` runs.
export async function shrink(start, fails, budget = 600) {
	let smallest = start;
	let runs = 0;
	for (let smaller = true; smaller;) {
		smaller = false;
		for (const path of removable(smallest)) {
			const next = without(smallest, path);
			if (!next || !wellFormed(next)) continue;
			if (runs++ >= budget) return smallest;
			if (!(await fails(next))) continue;
			smallest = next;
			smaller = true;
		}
	}
	return smallest;
}

// Paths of what may go, largest first: ranges of declarations, then fields, conditions and the visitor's facts.
function* removable({ set, visitor, slots }) {
	for (const kind of ['guards', 'caps', 'rules', 'segments', 'slots'].filter((name) => set[name])) {
		for (let size = set[kind].length >> 1; size > 1; size >>= 1) {
			for (let from = 0; from < set[kind].length; from += size) yield { list: ['set', kind], from, size };
		}
		for (let i = set[kind].length - 1; i >= 0; i--) yield { list: ['set', kind], from: i, size: 1 };
	}
	for (let i = slots.length - 1; i >= 0; i--) yield { list: ['slots'], from: i, size: 1 };
	yield* insides(visitor, ['visitor'], () => true);
	yield* insides(set, ['set'], (key) => optional.has(key));
}

const optional = new Set(['channel', 'showUpTo', 'default', 'priority', 'onlyOneOf', 'tags', 'rollout', 'enabled', 'starts', 'ends',
	'applies', 'require', 'forbid', 'when', 'slot', 'rule', 'tag', 'uses']);
const lists = new Set(['items', 'parts', 'values', 'fields', 'body', 'tags']);

// Fields that may go, members of lists, and a condition in place of the one that it stands in.
function* insides(node, path, mayGo) {
	if (node === null || typeof node !== 'object') return;
	for (const [key, child] of Object.entries(node).reverse()) {
		const here = [...path, key];
		if (!Array.isArray(node) && mayGo(key)) yield { field: here };
		if (Array.isArray(child) && lists.has(key)) {
			for (let i = child.length - 1; i >= 0; i--) yield { list: here, from: i, size: 1 };
		}
		if (['items', 'then'].includes(key) && Array.isArray(child)) {
			for (let i = 0; i < child.length; i++) yield { lift: path, child: [...here, i] };
		}
		yield* insides(child, here, mayGo);
	}
}

const at = (node, path) => path.reduce((inner, key) => inner?.[key], node);

// The case without what the path names, or undefined where that is gone already or must stay.
function without(from, { list, from: first, size, field, lift, child }) {
	const next = structuredClone(from);
	if (list) {
		const members = at(next, list);
		if (!members || first >= members.length) return undefined;
		const removed = members.splice(first, size);
		if (list[1] === 'slots') next.slots = next.slots.filter((id) => !removed.some((slot) => slot.id === id));
		if (!members.length && lists.has(list.at(-1)) && list.at(-1) !== 'fields') return undefined;
		return next;
	}
	const path = field ?? lift;
	const parent = at(next, path.slice(0, -1));
	if (parent === undefined || parent[path.at(-1)] === undefined) return undefined;
	if (field) {
		if (path.length === 4 && path[1] === 'rules' && path.at(-1) === 'slot') return undefined;
		if (path.length === 4 && path[1] === 'segments') return undefined;
		delete parent[path.at(-1)];
		return next;
	}
	const inner = at(next, child);
	if (!inner || !['table', 'any', 'all', 'none', 'function'].includes(inner.kind)) return undefined;
	if (inner.kind === 'table' && parent.kind !== undefined) return undefined;
	parent[path.at(-1)] = inner;
	return next;
}
