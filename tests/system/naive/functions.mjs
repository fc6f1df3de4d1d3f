// What a Lua function of a rule answers: an interpreter of the few statements and expressions that the generator writes.
//
// A body is a list of statements:
//   { do: 'return', value?: E }   { do: 'if', test: E, then: body }   { do: 'assert', test: E }   { do: 'error' }   { do: 'spin' }
//   { do: 'lua', text }           Lua whose answer cannot be content (a cycle, a function, mixed keys, NaN)
// E, an expression:
//   { is: 'value', value }        { is: 'fact', path }       v.country, v.cart.total
//   { is: 'holds', path, name }   v.consent.email            { is: 'segment', name }          v.segment["x"]
//   { is: 'known', path }         { is: 'get', path, fallback }      { is: 'query', fact, args }      v:viewed { … }
//   { is: 'and' | 'or' | '==' | '~=' | '<' | '<=' | '>' | '>=' | '..', a, b }      { is: 'not', a }
//   { is: 'table', fields: [[name, E]] }

import { possibleValues, usesOf, valueOf } from './facts.mjs';

class Raised extends Error {}

// Runs a body. `segmentState(name)` is a segment's three-valued answer, `segmentUses(name)` what its condition uses.
// Answers { value, failed, readUnknown, uses }: `value` is undefined for nil.
export function runFunction(body, visitor, { segmentState, segmentUses }) {
	const seen = { readUnknown: false, uses: new Set() };
	const context = { visitor, segmentState, segmentUses, seen };
	try {
		return { value: runBody(body, context)?.value, failed: false, ...seen };
	} catch (error) {
		if (!(error instanceof Raised)) throw error;
		return { value: undefined, failed: true, ...seen };
	}
}

// { value } when the body returned, else undefined.
function runBody(body, context) {
	for (const statement of body) {
		const returned = runStatement(statement, context);
		if (returned) return returned;
	}
	return undefined;
}

function runStatement(statement, context) {
	switch (statement.do) {
	case 'return': return { value: statement.value && evaluate(statement.value, context) };
	case 'if': return isTrue(evaluate(statement.test, context)) ? runBody(statement.then, context) : undefined;
	case 'assert':
		if (!isTrue(evaluate(statement.test, context))) throw new Raised();
		return undefined;
	case 'error': case 'spin': case 'lua': throw new Raised();
	default: throw new Error(`no such statement: ${statement.do}`);
	}
}

// Lua's truth: all but nil and false.
const isTrue = (value) => value !== undefined && value !== false;

function evaluate(expression, context) {
	const { a, b } = expression;
	switch (expression.is) {
	case 'value': return expression.value;
	case 'fact': return read(expression.path, context);
	case 'holds': return holds(expression, context);
	case 'segment': return segment(expression.name, context);
	case 'known': return possibleValues(context.visitor, expression.path).length > 0;
	case 'get': return get(expression, context);
	case 'query': return read(expression.fact, context);
	case 'not': return !isTrue(evaluate(a, context));
	case 'and': { const left = evaluate(a, context); return isTrue(left) ? evaluate(b, context) : left; }
	case 'or': { const left = evaluate(a, context); return isTrue(left) ? left : evaluate(b, context); }
	case 'table': return table(expression.fields, context);
	default: return operate(expression.is, evaluate(a, context), evaluate(b, context));
	}
}

function read(path, { visitor, seen }) {
	seen.uses.add(usesOf(path));
	const value = valueOf(visitor, path);
	if (value === undefined) seen.readUnknown = true;
	return value;
}

function get({ path, fallback }, { visitor, seen }) {
	seen.uses.add(usesOf(path));
	return valueOf(visitor, path) ?? fallback;
}

function holds({ path, name }, context) {
	const set = read(path, context);
	if (set === undefined) throw new Raised();
	return set.includes(name);
}

function segment(name, { segmentState, segmentUses, seen }) {
	segmentUses(name).forEach((category) => seen.uses.add(category));
	const state = segmentState(name);
	if (state !== null) return state;
	seen.readUnknown = true;
	return undefined;
}

// A field whose value is nil is no field.
function table(fields, context) {
	const answer = {};
	for (const [name, expression] of fields) {
		const value = evaluate(expression, context);
		if (value !== undefined) answer[name] = value;
	}
	return answer;
}

function operate(operator, a, b) {
	if (operator === '==') return a === b;
	if (operator === '~=') return a !== b;
	if (operator === '..') {
		if (typeof a !== 'string' || typeof b !== 'string') throw new Raised();
		return a + b;
	}
	if (typeof a !== typeof b || !['number', 'string'].includes(typeof a)) throw new Raised();
	const order = typeof a === 'string' ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a - b;
	switch (operator) {
	case '<': return order < 0;
	case '<=': return order <= 0;
	case '>': return order > 0;
	case '>=': return order >= 0;
	default: throw new Error(`no such operator: ${operator}`);
	}
}
