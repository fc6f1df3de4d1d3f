// What of the decision log cannot be told any more: the rules that decided are gone, or others, or a byte of a file is another. Who asks for a
// decision is told what is missing, and `replay` counts such decisions apart, each by its cause, beside all others.
// Seen failing where a kept rule set is not compared with its hash (fw_logged_set_load), and where a decision whose own bytes are damaged is
// passed over (fw_log_reader.damaged).

import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { context, open, rules } from './decisions.mjs';
import { event } from './people.mjs';
import { runAside } from './server.mjs';
import { test } from './stores.mjs';

const HEAD = 16, FRAME = 16; // bytes: core/trace/log_file.h
// The entries of a file: [{ letter, at, n }], where each one's letter stands and how many bytes it has.
function entriesOf(bytes) {
	const all = [];
	for (let at = HEAD; at < bytes.length;) {
		const n = bytes.readUInt32LE(at + 4);
		all.push({ letter: String.fromCharCode(bytes[at + FRAME]), at: at + FRAME, n });
		at += FRAME + n;
	}
	return all;
}

const idOf = (bytes, { at }) => bytes.toString('hex', at + 1, at + 17).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
const none = { erased: 0, no_rules: 0, different: 0, no_products: 0, damaged: 0 };

// A log of two rule sets, each of which decided in a file of its own, with the daemon gone: { shop, folder, sets: [{ hash, ids }], … }.
async function logged(t) {
	const shop = await open(t, { config: { workers: 1 } }), anna = { anonymousId: 'device-of-anna-000001' };
	await shop.send('batch', { batch: [1, 2, 3].map(() => event(anna)) });
	const decide = async () => {
		const all = [];
		for (const who of [anna, anna, {}, anna]) all.push(await shop.ask('decide', { ...who, context, slots: ['hero', 'strip'] }));
		return { hash: all[0].body.ruleSet, ids: all.map(({ id }) => id), nobody: all[2].id };
	};
	const sets = [await decide()];
	shop.write({ 'shop/decisions.lua': rules('two') });
	assert.equal(shop.reload().status, 0);
	sets.push(await decide());
	assert.equal(await shop.daemon.stop(), 0);
	assert.notEqual(sets[0].hash, sets[1].hash);
	const folder = join(shop.folder, 'decisions'), whole = join(shop.folder, 'whole');
	cpSync(folder, whole, { recursive: true, preserveTimestamps: true });
	const replay = async (...args) => {
		const { status, stdout, stderr } = await runAside(['replay', '--json', '--config', shop.config, ...args]);
		assert.equal(status, 0, stderr);
		const { decisions, notDetermined } = JSON.parse(stdout);
		return { decisions, notDetermined, stderr };
	};
	return {
		shop, folder, whole, sets, replay,
		restore: () => { rmSync(folder, { recursive: true }); cpSync(whole, folder, { recursive: true, preserveTimestamps: true }); },
		// That each of these is refused for the reason, and each of the others explained.
		missing: async (ids, reason) => {
			for (const id of sets.flatMap((set) => set.ids)) {
				const { status, stdout, stderr } = await shop.explained(id, '--json');
				if (!ids.includes(id)) assert.deepEqual([status, JSON.parse(stdout).decisionId], [0, id], stderr);
				else {
					assert.deepEqual([status, stdout], [1, '']);
					assert.match(stderr, reason);
				}
			}
		},
		// In the file of the first set: a byte in the middle of an entry of that letter, the first for which `is` holds, is another.
		flip: (letter, is = () => true) => {
			const file = shop.files().find((name) => entriesOf(readFileSync(name)).some((e) => e.letter === 'D' && idOf(readFileSync(name), e) === sets[0].ids[0])), bytes = readFileSync(file);
			const { at, n } = entriesOf(bytes).find((e) => e.letter === letter && is(bytes, e));
			bytes[at + Math.floor(n * 0.8)] ^= 0x10;
			writeFileSync(file, bytes);
		},
	};
}

test('rules that decided are gone, or others', async (t) => {
	const { folder, whole, sets: [first, second], replay, restore, missing } = await logged(t);
	const kept = join(folder, 'sets', first.hash), file = join(kept, 'rules/decisions.lua');
	const each = first.ids.length, apart = { decisions: second.ids.length, notDetermined: { ...none, no_rules: each } };
	const alike = ({ decisions, notDetermined }, wanted) => assert.deepEqual({ decisions, notDetermined }, wanted);
	alike(await replay(), { decisions: 2 * each, notDetermined: none });

	rmSync(kept, { recursive: true });
	await missing(first.ids, new RegExp(`the decision is there, but not the rule set ${first.hash} that made it; it would be in sets/${first.hash}`));
	const gone = await replay();
	alike(gone, apart);
	assert.match(gone.stderr, new RegExp(`what was decided by it cannot be determined: .*not the rule set ${first.hash}`));
	const { stdout } = await runAside(['replay', '--config', join(folder, '../floorwalker.lua')]);
	assert.match(stdout, new RegExp(`\\n${each} could not be determined:\\n  ${each}: the rules that made it are gone\\n`));
	// Another folder, which has all of it, is replayed as well as the configuration's own.
	alike(await replay('--log', whole), { decisions: 2 * each, notDetermined: none });
	assert.equal((await replay('--log', whole)).stderr, '');
	restore();

	writeFileSync(file, readFileSync(file, 'utf8').replace('banner = "one"', 'banner = "eno"'));
	await missing(first.ids, /these are no longer the rules that made the decision: they were changed/);
	const changed = await replay();
	alike(changed, apart);
	assert.match(changed.stderr, /they were changed/);
	restore();

	writeFileSync(file, 'rule "x" {\n');
	await missing(first.ids, /decisions\.lua:\d+: .*; it was made by floorwalker .*, this is /);
	alike(await replay(), apart);
	restore();
	await missing([]);
});

test('a byte of a file is another', async (t) => {
	const { sets: [first, second], replay, restore, missing, flip, shop } = await logged(t);
	const all = first.ids.length + second.ids.length;
	const damaged = async (n) => { const { decisions, notDetermined } = await replay(); assert.deepEqual([decisions, notDetermined], [all - n, { ...none, damaged: n }]); };

	// Of the decision itself.
	const isOf = (id) => (bytes, e) => idOf(bytes, e) === id;
	flip('D', isOf(first.ids[0]));
	await missing([first.ids[0]], /the decision log does not have it: .*; and part of the files is damaged/);
	await damaged(1);
	const { stdout } = await runAside(['replay', '--config', shop.config]);
	assert.match(stdout, /\n1 could not be determined:\n {2}1: it is damaged\n/);
	restore();
	// Of nobody's.
	flip('D', isOf(first.nobody));
	await missing([first.nobody], /part of the files is damaged/);
	await damaged(1);
	restore();
	// Of the person's record, which all that was decided for her hangs on.
	flip('P');
	const hers = first.ids.filter((id) => id !== first.nobody);
	await missing(hers, /what is logged of the decision is damaged/);
	await damaged(hers.length);
	restore();
	// Of what says which rule set decided.
	flip('S');
	await missing(first.ids, /the decision is there, but which rule set made it cannot be read: the file is damaged/);
	await damaged(first.ids.length);
	restore();
	await damaged(0);
});
