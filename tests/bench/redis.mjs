// Redis behind the store, over a Unix socket: commits beside the same script as fast as redis-benchmark asks for it, and, as that can
// neither count a handle's batches up nor mix a WAIT into its pipelines, also beside a hiredis connection that does; a decision
// beside the same one over LMDB. Redis keeps nothing on disk here, so that it is as fast as it can be, and has a core of its own while
// commits are measured.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environment, until } from '../system/daemon.mjs';
import { clientCore, cpuUs, median, onCore, options, run, runBeside, say, serverCore, status, tool } from './bench.mjs';
import { crowd, howMany, serveStore } from './crowd.mjs';
import { load } from './http.mjs';
import { bodies, isKnown, slots } from './people.mjs';

const recordBytes = 437, connections = 256, thousands = (n) => n.toLocaleString('en');
const setups = [{ durability: 'server', depth: 64 }, { durability: 'server', depth: 256 }, { durability: 'replicated', depth: 64 }];

// --- servers

const freePort = () => new Promise((done, fail) => {
	const server = createServer().on('error', fail).listen(0, '127.0.0.1', () => {
		const { port } = server.address();
		server.close(() => done(port));
	});
});

async function startRedis(stop, core, { port = 0, replicaOf } = {}) {
	const folder = mkdtempSync(join(tmpdir(), 'fw-bench-')), socket = join(folder, 's');
	const child = spawn('taskset', ['-c', core, 'redis-server', '--bind', '127.0.0.1', '--port', String(port), '--unixsocket', socket, '--dir', folder, '--logfile', 'log', '--save', '',
		'--appendonly', 'no', ...(replicaOf ? ['--replicaof', `127.0.0.1 ${replicaOf}`, '--repl-diskless-sync-delay', '0'] : [])], { env: environment(), stdio: 'ignore' });
	const ended = new Promise((done) => { child.on('exit', done).on('error', done); });
	const atExit = () => child.kill('SIGKILL');
	process.on('exit', atExit);
	stop.push(async () => {
		child.kill('SIGTERM');
		await ended;
		process.off('exit', atExit);
		rmSync(folder, { recursive: true });
	});
	const redis = { pid: child.pid, socket, url: `redis+unix:${socket}`, ask: (...words) => run(['redis-cli', '-s', socket, ...words]).trim() };
	const answers = () => { try { return redis.ask('PING') === 'PONG'; } catch { return false; } };
	await until(answers, { what: 'redis-server answers' });
	if (replicaOf) await until(() => /^master_link_status:up/m.test(redis.ask('INFO', 'replication')), { what: 'the replica follows' });
	return redis;
}

// One alone, and one with a replica, which runs beside whoever asks.
async function startAll(stop) {
	const alone = await startRedis(stop, serverCore), port = await freePort();
	const primary = await startRedis(stop, serverCore, { port });
	await startRedis(stop, clientCore, { replicaOf: port });
	return { server: alone, replicated: primary };
}

// --- commits

const cost = async (redis, how, { durability, depth }, people, seconds) => {
	redis.ask('FLUSHALL');
	return JSON.parse(await runBeside(onCore(clientCore, [tool('redis_cost'), how, how === 'store' ? redis.url : redis.socket, durability, ...[people, depth, seconds].map(String)])));
};

// What redis-benchmark can vary are numbers of twelve digits, each anew: as the bucket's tag and as the handle. A handle's second batch
// would have to have a higher sequence, so every batch has a handle of its own, few to a bucket, and there are as many
// buckets as people, with one row each. Its rows are made first; the commands that wrote, as Redis counted them, count.
async function benchmark(redis, { depth }, people, seconds) {
	const key = 'P-12bytes-ra'.padEnd(47, '0'), value = 'a'.repeat(recordBytes), keys = ['', ':i', ':o'].map((what) => `fw:{__rand_int__}${what}`);
	const sha = run(['redis-cli', '-s', redis.socket, '-x', 'SCRIPT', 'LOAD'], { input: run([tool('redis_cost'), 'script']) }).trim();
	const counted = () => Number(/cmdstat_spublish:calls=(\d+)/.exec(redis.ask('INFO', 'commandstats'))?.[1] ?? 0);
	// Whole pipelines, or it may find fault with itself at the end.
	const whole = (n) => Math.ceil(n / depth) * depth;
	const send = async (n) => {
		const said = await runBeside(onCore(clientCore, ['redis-benchmark', '-s', redis.socket, '-c', '1', '-P', String(depth), '-r', String(people), '-n', String(n), '--csv',
			'EVALSHA', sha, '3', ...keys, '__rand_int__', '1', `${Date.now()}000`, 'p', key, '', value]));
		return Number(/,"([\d.]+)"(?:,"[\d.]+"){6}\s*$/.exec(said)[1]);
	};
	redis.ask('FLUSHALL');
	redis.ask('EVAL', `for i = 0, ARGV[1] - 1 do
		local bucket = 'fw:{' .. string.format('%012d', i) .. '}'
		redis.call('HSET', bucket, ARGV[2], string.rep('0', 8) .. ARGV[3])
		redis.call('ZADD', bucket .. ':i', 0, ARGV[2])
		redis.call('HSET', bucket .. ':o', 'v', '1', string.rep('0', 12), '0 1')
	end`, '0', String(people), key, value);
	const n = whole(await send(whole(people / 5)) * seconds), before = counted(), perSecond = await send(n), wrote = counted() - before;
	if (wrote < n * 0.99) throw new Error(`of ${n} commits of redis-benchmark only ${wrote} wrote`);
	return { perSecond: perSecond * wrote / n, commits: wrote };
}

async function commits(redises, people) {
	const rounds = options.quick ? 1 : 3, seconds = options.quick ? 1 : 3;
	const results = setups.map(() => ({ store: [], plain: [], benchmark: [] }));
	for (let round = 0; round < rounds; round++) {
		for (const [i, setup] of setups.entries()) {
			const redis = redises[setup.durability], ways = ['store', 'plain', ...(setup.durability === 'server' ? ['benchmark'] : [])];
			say(`committing, ${setup.durability}, ${setup.depth} under way, ${round + 1} of ${rounds}`);
			for (const way of round % 2 ? ways.reverse() : ways)
				results[i][way].push(way === 'benchmark' ? await benchmark(redis, setup, people, seconds) : await cost(redis, way, setup, people, seconds));
		}
	}
	return setups.flatMap((setup, i) => rowsOf(setup, people, results[i]));
}

function rowsOf({ durability, depth }, people, results) {
	const of = (way, what) => median(results[way].map((one) => one[what])), rate = (way) => of(way, 'perSecond');
	const name = `${depth} under way, ${durability}`, where = durability === 'server' ? 'Redis on core 0, who asks on core 1' : 'Redis on core 0, its replica and who asks on core 1';
	const measure = `commits over Redis, rows of ${recordBytes} B of ${thousands(people)} people, ${name}; ${where}`, ours = rate('store');
	const again = results.store.reduce((sum, one) => sum + one.resubmitted, 0);
	const beside = (way, peerName) => ({ measure, ours, unit: '1/s', peer: rate(way), peerName, ratio: ours / rate(way), least: 0.5, raw: results });
	return [
		...(durability === 'server' ? [beside('benchmark', `redis-benchmark -c 1 -P ${depth}, the same script`)] : []),
		beside('plain', `hiredis, the same commands${durability === 'replicated' ? `, one WAIT 1 after ${depth}` : ''}`),
		{ measure: `${name}: a commit, median`, ours: of('store', 'p50_us'), unit: 'µs' },
		{ measure: `${name}: a commit, 99th percentile`, ours: of('store', 'p99_us'), unit: 'µs' },
		{ measure: `${name}: processor time of a worker for a commit`, ours: of('store', 'cpu_us'), unit: 'µs' },
		...(again ? [{ measure: `${name}: submitted again`, ours: again, unit: '' }] : []),
	];
}

// --- reading

function inProcess(folder, redis, people) {
	const times = options.quick ? 20000 : 200000;
	const [ours, peer] = [redis.url, folder].map((where) => JSON.parse(run(onCore(clientCore, [tool('people_cost'), 'read', where, String(people), String(times)]))).load);
	return [['median', 'p50_us'], ['99th percentile', 'p99_us']].map(([name, what]) => (
		{ measure: `reading one of ${thousands(people)} people in process over Redis, one at a time, ${name}`, ours: ours[what], unit: 'µs', peer: peer[what], peerName: 'LMDB' }));
}

// Whoever is asked, the visitors are the same ones: so are the answers.
async function answerAlike(daemons, file) {
	const said = await Promise.all(daemons.map(async ({ url }) => Promise.all(readFileSync(file, 'utf8').split('\n').slice(0, 500)
		.map(async (body) => JSON.stringify((await (await fetch(`${url}/v1/decide`, { method: 'POST', body })).json()).decisions)))));
	const different = said[0].filter((one, i) => one !== said[1][i]).length;
	if (different) throw new Error(`${different} of ${said[0].length} visitors are answered something else over Redis`);
}

const degraded = async ({ url }) => Number(/^floorwalker_decisions_degraded_total (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())[1]);

// Rounds in turn; { perSecond, p99_us, cpu_us, redis_us, busy } of each: processor time of the worker and of Redis for a request, and the
// share of its time that the worker ran.
async function askInTurn(daemons, redis, file) {
	const rounds = options.quick ? 2 : 5, seconds = options.quick ? 2 : 4, results = daemons.map(() => []);
	const ask = async ({ daemon, name, pid }, s) => {
		const [before, redisBefore] = [pid, redis.pid].map(cpuUs), said = await load(`${daemon.url}/v1/decide`, file, s, connections);
		const took = cpuUs(pid) - before, redisTook = cpuUs(redis.pid) - redisBefore;
		if (said.failed + said.refused) throw new Error(`${name}: ${said.failed} requests failed, ${said.refused} were refused`);
		return { ...said, cpu_us: took / said.requests, redis_us: redisTook / said.requests, busy: took / 1e6 / (said.requests / said.perSecond) };
	};
	for (const one of daemons) await ask(one, 1);
	for (let round = 0; round < rounds; round++) {
		for (const i of round % 2 ? [1, 0] : [0, 1]) {
			say(`deciding over ${daemons[i].name}, ${round + 1} of ${rounds}`);
			results[i].push(await ask(daemons[i], seconds));
		}
	}
	return results;
}

async function decisions(folder, redis, people) {
	const asked = bodies(people, people), daemons = [];
	for (const [name, data] of [['Redis', redis.url], ['LMDB', folder]]) {
		const daemon = await serveStore(`redis-beside-${name.toLowerCase()}`, data);
		await isKnown(daemon, asked.ids[0]);
		daemons.push({ name, daemon, pid: status(daemon).workers[0].pid });
	}
	await answerAlike(daemons.map(({ daemon }) => daemon), asked.known);
	const results = await askInTurn(daemons, redis, asked.known), [ours, peer] = results.map((list) => (what) => median(list.map((one) => one[what])));
	const unread = await degraded(daemons[0].daemon);
	if (unread) throw new Error(`${unread} decisions over Redis were made without the visitor's record`);
	for (const { daemon } of daemons) await daemon.stop();
	const measure = `POST /v1/decide over Redis for one of ${thousands(people)} people, the example store, ${slots.length} slots, ${connections} in flight; the worker on core 0, Redis and wrk on core 1`;
	const beside = (what, unit, factor = 1) => ({ ours: ours(what) * factor, unit, peer: peer(what) * factor, peerName: 'LMDB' });
	return [
		{ measure, ...beside('perSecond', '1/s'), ratio: ours('perSecond') / peer('perSecond'), least: 0.6, raw: { redis: results[0], lmdb: results[1] } },
		{ measure: 'the same: 99th percentile', ...beside('p99_us', 'ms', 1e-3) },
		{ measure: 'the same: processor time of the worker', ...beside('cpu_us', 'µs') },
		{ measure: 'the same: processor time of Redis', ours: ours('redis_us'), unit: 'µs' },
		{ measure: 'the same: how much of its time the worker ran', ...beside('busy', '%', 100) },
	];
}

export async function measure() {
	const people = Math.min(howMany(), options.quick ? 10000 : 50000), stop = [], rows = [];
	try {
		rows.push(...await commits(await startAll(stop), people));
		while (stop.length) await stop.pop()();
		const { folder } = crowd(people), redis = await startRedis(stop, clientCore);
		say('copying people into Redis');
		run([tool('people_copy'), folder, redis.url]);
		rows.push(...inProcess(folder, redis, people), ...await decisions(folder, redis, people));
	} finally {
		while (stop.length) await stop.pop()();
	}
	return rows;
}
