// A shop under load and what befalls it; for faults*.test.mjs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { long, program, startDaemon } from './daemon.mjs';
import { kin, makeStream, random, seed, startLoad, whenThere } from './acknowledged.mjs';
import { alive, quick, until, writeShop } from './server.mjs';
import { storeOf } from './stores.mjs';

const killed = (pids) => pids.forEach((pid) => { try { process.kill(pid, 'SIGKILL'); } catch { /* it was faster */ } });

// A shop whose data outlives its daemon: `start` begins it (again), `url` is where it is now.
export async function openShop(t, { config = {}, folder, files } = {}) {
	const shop = { folder: writeShop(t, { config: { store: config.store ?? await storeOf(t), limits: { ...quick, heartbeat_ms: 2000, drain_ms: 20000 }, ...config }, folder, files }) };
	shop.config = join(shop.folder, 'floorwalker.lua');
	// Who outlives a master that was killed, though nobody should.
	shop.seen = new Set();
	const isOurs = (pid) => { try { return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(shop.config); } catch { return false; } };
	t.after(() => killed([...shop.seen].filter(isOurs)));
	shop.start = async () => {
		shop.daemon = await startDaemon(t, shop.config, { bin: program });
		const { log } = shop.daemon;
		t.after(() => assert.equal(log().match(/^.*(Sanitizer|runtime error:)[^]*/m)?.[0].slice(0, 20000) ?? '', '', 'a sanitizer has found something'));
	};
	// Whoever still sends when the test is over is told so.
	let over = false;
	t.after(() => { over = true; });
	shop.url = () => { if (over) throw new Error('the test is over'); return shop.daemon.url; };
	shop.master = () => shop.daemon.child.pid;
	await shop.start();
	return shop;
}

const pick = (list, rnd) => list[Math.floor(rnd() * list.length)];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Kills the master, or everybody, and starts anew once all of them are gone, as a supervisor does.
async function endAndStart(shop, rnd, everybody) {
	const { keeper, loaders, workers } = kin(shop.master());
	const all = [shop.master(), keeper, ...loaders, ...workers].filter(Boolean);
	all.forEach((pid) => shop.seen.add(pid));
	killed(everybody ? all.sort(() => rnd() - 0.5) : [shop.master()]);
	// Workers whose master is gone finish what they have begun, for as long as a drain may take.
	await until(() => !all.some(alive), { seconds: 60, what: 'all processes end' });
	await shop.start();
}

// What can befall a shop, each at once: (shop, rnd).
export const strikes = {
	nothing: () => {},
	worker: async (shop, rnd) => killed([pick(await whenThere(shop.master(), (k) => k.workers, 'a worker'), rnd)]),
	keeper: async (shop) => killed(await whenThere(shop.master(), (k) => [k.keeper], 'the keeper')),
	// After a commit, before its answer: as it is about to send.
	answering: async (shop, rnd) => {
		const [keeper] = await whenThere(shop.master(), (k) => [k.keeper], 'the keeper');
		const strace = spawn('strace', ['-qq', '-p', String(keeper), '-e', 'trace=sendto', '-e', `inject=sendto:signal=KILL:when=${1 + Math.floor(rnd() * 10)}`, '-o', join(shop.folder, 'strace')], { stdio: 'ignore' });
		await new Promise((done) => strace.on('exit', done));
		await until(() => !alive(keeper), { what: 'the keeper is killed' });
	},
	loader: async (shop, rnd) => killed([pick(await whenThere(shop.master(), (k) => (k.workers.length ? k.loaders : []), 'a loader'), rnd)]),
	master: (shop, rnd) => endAndStart(shop, rnd, false),
	all: (shop, rnd) => endAndStart(shop, rnd, true),
	// Short: shorter than a missed heartbeat. Long: the master kills it for its silence.
	stopped: async (shop, rnd) => {
		const [keeper] = await whenThere(shop.master(), (k) => [k.keeper], 'the keeper');
		process.kill(keeper, 'SIGSTOP');
		if (rnd() < 0.7) await pause(rnd() * 500);
		else await until(() => !alive(keeper), { what: 'the silent keeper is killed' });
		try { process.kill(keeper, 'SIGCONT'); } catch { /* it was killed */ }
	},
	// Sometimes several at once.
	reload: async (shop, rnd) => {
		const served = () => shop.daemon.log().split('"msg":"serving"').length;
		const before = served();
		shop.daemon.signal('SIGHUP');
		if (rnd() < 0.7) await until(() => served() > before, { what: 'the new generation serves' });
	},
};

// Whether these bytes tell a Redis to store what came without a messageId (below).
export const storesNameless = (bytes) => bytes.includes('EVALSHA') && bytes.includes('nameless-');

// So many strikes of these kinds (names of the above, or functions as they are) at seeded moments under load, then acknowledged = stored. `more`: streams beside the one that
// every fault has.
export async function strikeUnderLoad(t, kinds, { times = long ? 10 : 4, people = long ? 2000 : 40, from = seed, config, nameless = false, ...client } = {}) {
	const shop = await openShop(t, { config });
	const rnd = random(from);
	const load = startLoad(shop.url, makeStream({ people, from }), client);
	// Events that have no messageId, each sent once: what counts them once then is the store alone.
	const plain = nameless ? makeStream({ people, from: from + 1, name: 'nameless' }) : () => undefined;
	const once = startLoad(shop.url, () => plain()?.map((e) => ({ ...e, messageId: undefined })), { connections: 4, once: true });
	await load.passed(5);
	for (let i = 0; i < times; i++) {
		await load.passed(1 + Math.floor(rnd() * (long ? 200 : 20)));
		await pause(rnd() * 20);
		const strike = pick(kinds, rnd);
		await (strikes[strike] ?? strike)(shop, rnd);
	}
	await load.passed(5);
	await Promise.all([load.stop(), once.stop()]);
	t.diagnostic(`${load.events.length + once.events.length} events in ${load.batches + once.batches} requests acknowledged, ${load.broken} broken, refused ${JSON.stringify(load.refused)}`);
	return { shop, load, once };
}
