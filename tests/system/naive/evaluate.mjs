// The rule language, evaluated in the most direct way: every rule for every visitor, walking its condition with Kleene's
// three values. No index, no compiling, no stopping early: it is slow and meant to be obviously right.
//
// The rule set is a plain object (README.md shows one). The answer is what `floorwalker decide` prints under "decisions".

import { endsBefore, instant, possibleValues, startsAt, typeOf, usesOf, weekdays } from './facts.mjs';
import { runFunction } from './functions.mjs';

// True, false and unknown (null).
export const not3 = (a) => (a === null ? null : !a);
export const all3 = (values) => (values.includes(false) ? false : values.includes(null) ? null : true);
export const any3 = (values) => not3(all3(values.map(not3)));

// ---- matchers ----

const fold = (value) => (typeof value === 'string' ? value.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : value);
const same = (a, b) => fold(a) === fold(b);
const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

// A trait read as a matcher's type; undefined when it cannot be.
function readAs(value, type) {
	if (typeof value === type) return value;
	if (type === 'number' && typeof value === 'string' && jsonNumber.test(value)) return Number(value);
	if (type === 'string' && typeof value === 'number') return String(value);
	return undefined;
}

function equals(value, wanted, type) {
	if (type === 'language') return same(value, wanted) || fold(value).startsWith(`${fold(wanted)}-`);
	if (type !== 'trait') return same(value, wanted);
	const readable = readAs(value, typeof wanted);
	return readable === undefined ? null : same(readable, wanted);
}

function oneOf(value, wanted, type) {
	return any3(wanted.map((one) => equals(value, one, type)));
}

const holds = (set, wanted, type) => any3(set.map((member) => equals(member, wanted, type)));

// Ranges over weekdays go from Monday on; dates compare as text.
function compare(value, bound, type) {
	if (type === 'weekday') return weekdays.indexOf(fold(value)) - weekdays.indexOf(fold(bound));
	if (typeof value === 'string') return value < bound ? -1 : Number(value > bound);
	return value - bound;
}

function inRange(value, matcher, type) {
	const bound = matcher.value ?? matcher.low;
	const readable = type === 'trait' ? readAs(value, typeof bound) : value;
	if (readable === undefined) return null;
	const from = (limit) => compare(readable, limit, type);
	switch (matcher.is) {
	case 'at_least': return from(bound) >= 0;
	case 'at_most': return from(bound) <= 0;
	case 'more_than': return from(bound) > 0;
	case 'less_than': return from(bound) < 0;
	default:
		if (compare(matcher.low, matcher.high, type) > 0) return from(matcher.low) >= 0 || from(matcher.high) <= 0;
		return from(matcher.low) >= 0 && from(matcher.high) <= 0;
	}
}

function matchesText(value, matcher, type) {
	const readable = type === 'trait' ? readAs(value, 'string') : value;
	if (readable === undefined) return null;
	const text = fold(readable), part = fold(matcher.value);
	switch (matcher.is) {
	case 'starts_with': return text.startsWith(part);
	case 'ends_with': return text.endsWith(part);
	default: return text.includes(part);
	}
}

// Whether one value of a fact (undefined: it has none) matches.
export function matches(value, matcher, type) {
	if (matcher.is === 'known') return value !== undefined;
	if (matcher.is === 'unknown') return value === undefined;
	if (value === undefined) return null;
	if (matcher.is === 'not') return not3(matches(value, matcher.of, type));
	const set = Array.isArray(value);
	switch (matcher.is) {
	case 'equals': return set ? holds(value, matcher.value, type) : equals(value, matcher.value, type);
	case 'one_of': return set ? any3(matcher.values.map((one) => holds(value, one, type))) : oneOf(value, matcher.values, type);
	case 'all_of': return set ? all3(matcher.values.map((one) => holds(value, one, type))) : null;
	case 'starts_with': case 'ends_with': case 'contains': return set ? null : matchesText(value, matcher, type);
	default: return set ? null : inRange(value, matcher, type);
	}
}

// ---- conditions ----

// What a condition is evaluated against: the rule set's segments and one visitor, each segment answered once.
export class Evaluation {
	constructor(set, visitor) {
		this.visitor = visitor;
		this.segments = new Map(set.segments.map((segment) => [segment.id, segment]));
		this.states = new Map();
	}

	segmentState = (name) => {
		if (!this.states.has(name)) this.states.set(name, this.condition(this.segments.get(name).when));
		return this.states.get(name);
	};

	segmentUses = (name) => this.uses(this.segments.get(name).when);

	run(body) {
		return runFunction(body, this.visitor, this);
	}

	// The three-valued answer of a condition.
	condition(condition) {
		switch (condition.kind) {
		case 'table': case 'all': return all3(condition.items.map((item) => this.condition(item)));
		case 'any': return any3(condition.items.map((item) => this.condition(item)));
		case 'none': return not3(any3(condition.items.map((item) => this.condition(item))));
		case 'function': return this.answer(condition.body);
		case 'query': return null;                       // the visitors of this test have no history
		case 'parts': return all3(condition.parts.map(([part, matcher]) => this.fact(`${condition.fact}.${part}`, matcher)));
		case 'fact': return condition.fact === 'segment' ? this.inSegments(condition.matcher) : this.fact(condition.fact, condition.matcher);
		default: throw new Error(`no such condition: ${condition.kind}`);
		}
	}

	answer(body) {
		const { value, failed, readUnknown } = this.run(body);
		if (failed || readUnknown) return null;
		if (value === undefined) return false;
		return typeof value === 'boolean' ? value : null;
	}

	fact(path, matcher) {
		const values = possibleValues(this.visitor, path);
		const answers = (values.length ? values : [undefined]).map((value) => matches(value, matcher, typeOf(path)));
		return answers.every((answer) => answer === answers[0]) ? answers[0] : null;
	}

	inSegments(matcher) {
		switch (matcher.is) {
		case 'equals': return this.segmentState(matcher.value);
		case 'one_of': return any3(matcher.values.map(this.segmentState));
		case 'all_of': return all3(matcher.values.map(this.segmentState));
		case 'not': return not3(this.inSegments(matcher.of));
		default: throw new Error(`no matcher for segments: ${matcher.is}`);
		}
	}

	// The categories of facts that a condition names or, in functions, reads for this visitor.
	uses(condition) {
		if (!condition) return new Set();
		switch (condition.kind) {
		case 'function': return this.run(condition.body).uses;
		case 'query': return new Set([usesOf(condition.fact)]);
		case 'parts': return new Set(condition.parts.map(([part]) => usesOf(`${condition.fact}.${part}`)));
		case 'fact':
			if (condition.fact !== 'segment') return new Set([usesOf(condition.fact)]);
			return union(segmentNames(condition.matcher).map(this.segmentUses));
		default: return union(condition.items.map((item) => this.uses(item)));
		}
	}
}

const union = (sets) => new Set(sets.flatMap((set) => [...set]));

function segmentNames(matcher) {
	if (matcher.is === 'not') return segmentNames(matcher.of);
	return matcher.is === 'equals' ? [matcher.value] : matcher.values;
}

// ---- who wins ----

// The distinct facts that the tables of a condition name.
export function specificity(condition) {
	const facts = new Set();
	const walk = (node) => {
		if (node.kind === 'function') return;
		if (node.kind === 'parts') node.parts.forEach(([part]) => facts.add(`${node.fact}.${part}`));
		else if (node.fact) facts.add(node.fact);
		else node.items.forEach(walk);
	};
	if (condition) walk(condition);
	return facts.size;
}

// Without a clock, dates do not count.
function inDate(rule, visitor) {
	if (visitor.at === undefined) return true;
	const now = instant(visitor.at);
	return (rule.starts === undefined || now >= startsAt(rule.starts)) && (rule.ends === undefined || now < endsBefore(rule.ends));
}

// A visitor without a point is inside every rollout.
function inRollout(rule, visitor) {
	return visitor.rollout === undefined || visitor.rollout < (rule.rollout ?? 100);
}

export function candidates(set, evaluation, slots) {
	const { visitor } = evaluation;
	const specific = new Map(set.rules.map((rule) => [rule, specificity(rule.when)]));
	return set.rules
		.filter((rule) => slots.includes(rule.slot) && rule.enabled !== false && inDate(rule, visitor) && inRollout(rule, visitor)
			&& (rule.when === undefined || evaluation.condition(rule.when) === true))
		.sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0) || specific.get(b) - specific.get(a)
			|| Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
}

const asList = (value) => (Array.isArray(value) ? value : [value]);

function applies(guard, rule, slot, uses) {
	const of = { slot: [rule.slot], rule: [rule.id], tag: rule.tags ?? [], channel: [slot.channel ?? 'web'], uses: [...uses] };
	return Object.entries(guard.applies ?? {}).every(([key, wanted]) => asList(wanted).some((one) => of[key].includes(one)));
}

function letsThrough(guard, evaluation) {
	return (!guard.require || evaluation.condition(guard.require) === true)
		&& (!guard.forbid || evaluation.condition(guard.forbid) === false);
}

// The content of a rule, or undefined when it cannot be made, and the categories that making it read.
function show(rule, evaluation) {
	if (rule.show.content) return { content: rule.show.content, uses: new Set() };
	const { value, failed, uses } = evaluation.run(rule.show.body);
	return { content: failed ? undefined : value, uses };
}

// The decisions for `slots` (ids), as `floorwalker decide` prints them.
export function decide(set, visitor, slots = set.slots.map((slot) => slot.id)) {
	const evaluation = new Evaluation(set, visitor);
	const places = new Map(set.slots.map((slot) => [slot.id, slot]));
	const winners = new Map(slots.map((id) => [id, []]));
	const taken = new Set();
	const shownUnder = new Map((set.caps ?? []).map((cap) => [cap, 0]));      // nobody here has seen anything before
	for (const rule of candidates(set, evaluation, slots)) {
		const slot = places.get(rule.slot);
		const shown = show(rule, evaluation);
		const uses = union([evaluation.uses(rule.when), shown.uses]);
		const vetoed = set.guards.some((guard) => applies(guard, rule, slot, uses) && !letsThrough(guard, evaluation));
		const full = winners.get(slot.id).length >= (slot.showUpTo ?? 1);
		const excluded = rule.onlyOneOf !== undefined && taken.has(rule.onlyOneOf);
		const caps = [...shownUnder.keys()].filter((cap) => applies(cap, rule, slot, uses));
		const capped = caps.some((cap) => shownUnder.get(cap) >= cap.limit);
		if (vetoed || capped || full || excluded || shown.content === undefined) continue;
		winners.get(slot.id).push({ rule: rule.id, content: shown.content });
		if (rule.onlyOneOf !== undefined) taken.add(rule.onlyOneOf);
		for (const cap of caps) shownUnder.set(cap, shownUnder.get(cap) + 1);
	}
	return Object.fromEntries(slots.map((id) => [id, decision(places.get(id), winners.get(id))]));
}

const hasFunction = (condition, evaluation) => condition !== undefined && (condition.kind === 'function'
	|| [...(condition.items ?? [])].some((item) => hasFunction(item, evaluation))
	|| (condition.kind === 'fact' && condition.fact === 'segment' && segmentNames(condition.matcher).some((name) => hasFunction(evaluation.segments.get(name).when, evaluation))));

// Why a rule is out before anything else is asked of it; undefined: it is not. Where a function is asked, whether it was the one that failed
// depends on what is asked first: then several are right.
function outAtOnce(rule, evaluation) {
	const { visitor } = evaluation;
	if (rule.enabled === false) return ['disabled'];
	if (!inDate(rule, visitor)) return [rule.starts !== undefined && instant(visitor.at) < startsAt(rule.starts) ? 'not_started' : 'ended'];
	const holds = rule.when === undefined || evaluation.condition(rule.when);
	if (holds !== true) return [holds === false ? 'not_matched' : 'unknown', ...(hasFunction(rule.when, evaluation) ? ['failed'] : [])];
	return inRollout(rule, visitor) ? undefined : ['not_in_rollout'];
}

// What becomes of each rule of the slots, as `floorwalker explain` tells: by rule the reasons that are right, of which there is mostly one.
export function explain(set, visitor, slots = set.slots.map((slot) => slot.id)) {
	const evaluation = new Evaluation(set, visitor), places = new Map(set.slots.map((slot) => [slot.id, slot]));
	const reasons = new Map(), won = new Map(slots.map((id) => [id, 0])), taken = new Set(), shownUnder = new Map((set.caps ?? []).map((cap) => [cap, 0]));
	for (const rule of set.rules) {
		const out = slots.includes(rule.slot) ? outAtOnce(rule, evaluation) : undefined;
		if (out) reasons.set(rule.id, out);
	}
	for (const rule of candidates(set, evaluation, slots)) {
		const slot = places.get(rule.slot), full = won.get(slot.id) >= (slot.showUpTo ?? 1);
		const caps = (uses) => [...shownUnder.keys()].filter((cap) => applies(cap, rule, slot, uses));
		const refused = (uses) => (set.guards.some((guard) => applies(guard, rule, slot, uses) && !letsThrough(guard, evaluation)) ? 'vetoed'
			: caps(uses).some((cap) => shownUnder.get(cap) >= cap.limit) ? 'capped' : undefined);
		const before = evaluation.uses(rule.when), shown = full ? undefined : show(rule, evaluation);
		const uses = union([before, shown?.uses ?? []]);
		// A full slot needs no content; a function that failed has read nothing that a guard asks for.
		let reason = refused(before) ?? (full ? 'beaten' : shown.content === undefined ? 'failed' : refused(uses));
		if (reason === undefined && rule.onlyOneOf !== undefined && taken.has(rule.onlyOneOf)) reason = 'excluded';
		reasons.set(rule.id, [reason ?? 'won']);
		if (reason !== undefined) continue;
		won.set(slot.id, won.get(slot.id) + 1);
		if (rule.onlyOneOf !== undefined) taken.add(rule.onlyOneOf);
		for (const cap of caps(uses)) shownUnder.set(cap, shownUnder.get(cap) + 1);
	}
	return reasons;
}

function decision(slot, winners) {
	if (winners.length) return { reason: 'rule', content: winners[0].content, winners };
	if (slot.default !== undefined) return { reason: 'default', content: slot.default, winners };
	return { reason: 'none', content: null, winners };
}
