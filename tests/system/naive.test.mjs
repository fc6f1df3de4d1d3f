// `floorwalker decide` against the naive evaluator of naive/: random rule sets and visitors from a seed, every winner,
// reason and content of every slot compared. A difference is made smaller before it is shown. And `floorwalker explain`: what became of
// every rule, those that did not win, too.
//
// FW_SEED=N        another seed (a whole number)
// FW_ONLY=N        only the set of this number
// FW_WITHOUT=a,b   without these features of the generator (naive/generate.mjs lists them)

import './release.mjs';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { environment, long, program, run, writeFiles } from './daemon.mjs';
import { decide, explain } from './naive/evaluate.mjs';
import { features, randomSet, randomVisitors } from './naive/generate.mjs';
import { toFiles, toLua } from './naive/lua.mjs';
import { Random } from './naive/random.mjs';
import { shrink } from './naive/shrink.mjs';

const seed = Number(process.env.FW_SEED ?? 20261123);
const only = process.env.FW_ONLY === undefined ? undefined : Number(process.env.FW_ONLY);
const without = Object.fromEntries((process.env.FW_WITHOUT ?? '').split(',').filter(Boolean).map((name) => [name, true]));
const atOnce = 2;

// Runs the program over the visitors: { status, lines, stderr }. `slots` undefined asks for all.
function decideWith(files, visitors, slots) {
	const folder = mkdtempSync(join(tmpdir(), 'fw-naive-'));
	writeFiles(join(folder, 'rules'), files);
	const args = ['decide', '--rules', 'rules', ...(slots ? ['--slots', slots.join(',')] : [])];
	const child = spawn(program, args, { cwd: folder, env: environment({ TZ: 'UTC' }), timeout: 300000, killSignal: 'SIGKILL' });
	const [output, errors] = [[], []];
	child.stdout.on('data', (bytes) => output.push(bytes));
	child.stderr.on('data', (bytes) => errors.push(bytes));
	child.stdin.on('error', () => {});                        // it may have refused the rules already
	child.stdin.end(visitors.map((visitor) => `${JSON.stringify(visitor)}\n`).join(''));
	return new Promise((done, fail) => {
		child.on('error', fail);
		child.on('close', (status, signal) => done({
			status: status ?? signal, lines: Buffer.concat(output).toString().split('\n').slice(0, -1), stderr: Buffer.concat(errors).toString(),
		}));
	}).finally(() => rmSync(folder, { recursive: true, force: true }));
}

// The value with the keys of its objects in byte order, as they are printed.
function sorted(value) {
	if (value === null || typeof value !== 'object') return value;
	if (Array.isArray(value)) return value.map(sorted);
	const bytewise = ([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b));
	return Object.fromEntries(Object.entries(value).sort(bytewise).map(([key, field]) => [key, sorted(field)]));
}

// What is compared of a slot's decision, as text.
function outcome({ reason, content, winners }) {
	return JSON.stringify({ reason, content, winners: winners?.map(({ rule, content: shown }) => ({ rule, content: shown })) });
}

// undefined when the printed line says what is expected, else the difference in words.
function difference(line, expected) {
	let decisions;
	try {
		({ decisions } = JSON.parse(line));
	} catch {
		return `not a decision: ${line}`;
	}
	const names = new Set([...Object.keys(expected), ...Object.keys(decisions ?? {})]);
	const lines = [];
	for (const name of names) {
		const wanted = expected[name] ? outcome(sorted(expected[name])) : 'no decision';
		const got = decisions?.[name] ? outcome(decisions[name]) : 'no decision';
		if (wanted !== got) lines.push(`${name}\n  expected ${wanted}\n  got      ${got}`);
	}
	return lines.length ? lines.join('\n') : undefined;
}

// The first thing wrong with an answer: { text, visitor } or undefined.
function firstFault(answer, set, visitors, slots) {
	if (answer.status !== 0) return { text: `exit status ${answer.status}\n${answer.stderr}`, visitor: visitors[answer.lines.length] ?? visitors[0] };
	if (answer.lines.length !== visitors.length) return { text: `${answer.lines.length} lines for ${visitors.length} visitors\n${answer.stderr}`, visitor: visitors[answer.lines.length] ?? visitors[0] };
	for (const [i, visitor] of visitors.entries()) {
		const text = difference(answer.lines[i], decide(set, visitor, slots));
		if (text) return { text, visitor };
	}
	return undefined;
}

// What the two say of one case, every declaration in one file.
async function faultOf({ set, visitor, slots }) {
	return firstFault(await decideWith({ 'rules.lua': toLua(set) }, [visitor], slots), set, [visitor], slots);
}

async function report(number, fault, whole) {
	const about = `set ${number} of seed ${seed} (FW_SEED=${seed} FW_ONLY=${number})`;
	const start = { set: whole.set, slots: whole.slots ?? whole.set.slots.map(({ id }) => id), visitor: fault.visitor };
	const first = await faultOf(start);
	if (!first) return `${about}: one visitor on one file does not show it\n${fault.text}\nvisitor ${JSON.stringify(fault.visitor)}`;
	// A refusal must stay a refusal and a difference a difference.
	const kind = (found) => found && /^(exit status \S+|\d+ lines|not a)/.exec(found.text)?.[0];
	const smallest = await shrink(start, async (next) => {
		const found = await faultOf(next);
		return found !== undefined && kind(found) === kind(first);
	});
	const found = await faultOf(smallest);
	return `${about}\n\n${toLua(smallest.set)}\nvisitor ${JSON.stringify(smallest.visitor)}\nslots ${smallest.slots.join(',')}\n\n${found.text}`;
}

// One random set: undefined, or a fault made small. `tally` counts what was compared.
async function compareSet(number, size, visitorCount, tally) {
	const setSeed = (Math.imul(seed, 1000003) + number) >>> 0;
	const random = new Random(setSeed ^ 0x5f5e100);
	const drawn = randomSet(setSeed, { ruleCount: size, without });
	const { set } = drawn;
	const visitors = randomVisitors(setSeed + 1, drawn, visitorCount, { without });
	const all = set.slots.map(({ id }) => id);
	const slots = random.chance(0.3) ? undefined : random.sample(all, random.between(Math.ceil(all.length / 2), all.length));
	const answer = await decideWith(toFiles(set, random), visitors, slots);
	const fault = firstFault(answer, set, visitors, slots ?? all);
	if (fault) return report(number, fault, { set, slots });
	for (const visitor of visitors) {
		for (const { winners } of Object.values(decide(set, visitor, slots ?? all))) {
			tally.slots++;
			if (winners.length) tally.won++;
		}
	}
	return undefined;
}

// Sets from..to, two processes at a time, up to the first fault.
async function compareSets(from, count, size, visitorCount) {
	assert.ok(existsSync(program), `${program} does not exist: build it with scripts/test, or name another in FW_BIN`);
	for (const name of Object.keys(without)) assert.ok(features.includes(name), `FW_WITHOUT: there is no ${name}; ${features.join(', ')}`);
	const tally = { slots: 0, won: 0 };
	const numbers = Array.from({ length: count }, (_, i) => from + i).filter((number) => only === undefined || number === only);
	let fault;
	await Promise.all(Array.from({ length: atOnce }, async () => {
		while (numbers.length && fault === undefined) {
			const found = await compareSet(numbers.shift(), size, visitorCount, tally);
			fault ??= found;
		}
	}));
	if (fault) assert.fail(fault);
	return tally;
}

const aside = (from, count) => only !== undefined && (only < from || only >= from + count) && 'FW_ONLY names a set of another test';
const many = long ? { count: 2000, visitors: 50 } : { count: 150, visitors: 40 };
const large = long ? { count: 6, rules: 2000, visitors: 100 } : { count: 1, rules: 400, visitors: 20 };

test('decisions on random rule sets equal a naive evaluation', { skip: aside(0, many.count) }, async () => {
	const { slots, won } = await compareSets(0, many.count, undefined, many.visitors);
	if (only === undefined) assert.ok(won > slots * 0.2 && won < slots * 0.6, `${won} winners in ${slots} slots: too few or too many to tell much`);
});

test('decisions on large rule sets equal a naive evaluation', { skip: aside(1000000, large.count) }, async () => {
	await compareSets(1000000, large.count, large.rules, large.visitors);
});

test('what explain says of every rule equals a naive evaluation', { skip: only !== undefined && 'FW_ONLY names a set of another test' }, () => {
	const counts = {};
	for (let number = 0; number < (long ? 400 : 40); number++) {
		const setSeed = (Math.imul(seed, 1000003) + 2000000 + number) >>> 0;
		const drawn = randomSet(setSeed, { without }), folder = mkdtempSync(join(tmpdir(), 'fw-naive-'));
		try {
			writeFiles(join(folder, 'rules'), { 'rules.lua': toLua(drawn.set) });
			for (const visitor of randomVisitors(setSeed + 1, drawn, 3, { without })) {
				const { status, stdout, stderr } = run(['explain', '--rules', join(folder, 'rules'), '--json', '--facts', JSON.stringify(visitor)], { env: { TZ: 'UTC' } });
				assert.equal(status, 0, stderr);
				const right = explain(drawn.set, visitor);
				const told = Object.values(JSON.parse(stdout).slots).flatMap(({ candidates }) => candidates);
				assert.deepEqual(told.map(({ rule }) => rule).sort(), [...right.keys()].sort());
				for (const { rule, reason } of told) {
					assert.ok(right.get(rule).includes(reason), `set ${number} of seed ${seed}: ${rule} is ${reason}, not ${right.get(rule)}, for ${JSON.stringify(visitor)}\n${toLua(drawn.set)}`);
					counts[reason] = (counts[reason] ?? 0) + 1;
				}
			}
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
	}
	for (const reason of ['won', 'disabled', 'not_started', 'ended', 'not_matched', 'unknown', 'not_in_rollout', 'vetoed', 'capped', 'beaten', 'excluded', 'failed'])
		assert.ok(counts[reason] > 0, `nobody was ${reason}: ${JSON.stringify(counts)}`);
});
