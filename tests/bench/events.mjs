// Durable events: batches from 64 connections, each answered once it is on disk, beside SQLite doing a transaction an event on the
// same disk; single events; and a look at whether a sync comes before the replies.

import { copyFileSync, existsSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { median, options, privateBytes, processes, run, runBeside, say, tool, work } from './bench.mjs';
import { copied, crowd, howMany, serveStore } from './crowd.mjs';

const connections = 64, batch = 100;
const bars = { even: 4, zipf: 6 }, named = { even: 'evenly drawn', zipf: 'drawn by Zipf, s = 1' };
let seed = 0;

async function send(daemon, people, how, events, seconds) {
	const { port } = new URL(daemon.url);
	const said = JSON.parse(await runBeside([tool('events_load'), port, String(people), how, String(connections), String(events), String(seconds), String(++seed)]));
	if (said.unanswered) throw new Error(`${said.unanswered} batches were never answered`);
	return said;
}

// The peer, with its people in a file made once.
async function sqlite(people, how, seconds) {
	if (!existsSync(tool('events_sqlite'))) throw new Error('build/tests/bench/events_sqlite is missing: libsqlite3-dev was not there when it was built');
	const made = join(work, `sqlite-${people}.db`), used = join(work, 'data/sqlite.db');
	if (!existsSync(made)) {
		say('making the same people for SQLite');
		run([tool('events_sqlite'), `${made}.new`, String(people), how, '0', '0']);
		run(['mv', `${made}.new`, made]);
	}
	if (!existsSync(used)) copyFileSync(made, used);
	return JSON.parse(await runBeside([tool('events_sqlite'), used, String(people), how, String(seconds), String(++seed)]));
}

async function beside(daemon, people, how) {
	const rounds = options.quick ? 1 : 3, seconds = options.quick ? 4 : 8, ours = [], theirs = [];
	for (let i = 0; i < rounds; i++) {
		say(`storing events ${named[how]}, ${i + 1} of ${rounds}`);
		ours.push(await send(daemon, people, how, batch, seconds));
		theirs.push(await sqlite(people, how, seconds));
	}
	const rate = (list) => median(list.map((one) => one.perSecond));
	return { ours: rate(ours), theirs: rate(theirs), p99: median(ours.map((one) => one.p99_us)) / 1000, raw: { ours, theirs } };
}

function rowsOf(how, people, workers, { ours, theirs, p99, raw }) {
	const what = `durable events, batches of ${batch} from ${connections} connections, ${people.toLocaleString('en')} people ${named[how]}, ${workers}`;
	return [
		{ measure: what, ours, unit: '1/s', peer: theirs, peerName: `SQLite ${raw.theirs[0].version}, a transaction an event`, ratio: ours / theirs, least: bars[how], raw },
		{ measure: `the same: 99th percentile of a batch`, ours: p99, unit: 'ms' },
	];
}

// --- the syncs

// The keeper: the process that writes the data, through a descriptor of its own for the last page, which is synced by being written.
export function keeper(daemon, data) {
	const file = join(data, 'data.mdb');
	for (const pid of processes(daemon.child.pid)) {
		const open = readdirSync(`/proc/${pid}/fd`).filter((fd) => { try { return readlinkSync(`/proc/${pid}/fd/${fd}`) === file; } catch { return false; } });
		const synced = open.filter((fd) => parseInt(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8').match(/^flags:\s+(\d+)/m)[1], 8) & 0o10000);
		if (synced.length) return { pid, synced };
	}
	throw new Error('no process of the daemon writes the data');
}

// Looks at what the keeper asks of the kernel, in order: what it has read from workers must be on disk before it replies. Answers how
// many groups of replies there were, how many syncs, and how many replies came too early. A group whose batches all conflict
// needs no sync; people drawn evenly from very many do not conflict.
export function judgeTrace(text, synced) {
	const seen = { groups: 0, syncs: 0, early: 0 };
	let owed = false, dirty = false, halfway = false, replying = false; // read and not committed; pages, and then the last one, not on disk
	for (const line of text.split('\n')) {
		const call = line.match(/^(\w+)\((\d+)<([^>]*)>.*\) += (\d+)/);
		if (!call) continue;
		const [, name, fd, path, result] = call, ofData = path.endsWith('data.mdb');
		if (name === 'recvfrom') {
			owed ||= result > 0;
			replying = false;
		} else if (name === 'sendto' && result > 1) { // a byte alone is the heartbeat
			seen.groups += seen.syncs > 0 && !replying; // from the first sync on: the trace begins in the middle
			seen.early += owed || dirty || halfway;
			replying = true;
		} else if (ofData && name.endsWith('sync')) {
			halfway = dirty;
			dirty = false;
		} else if (ofData && synced.includes(fd)) {
			seen.syncs += halfway;
			halfway = false;
			owed = dirty;
		} else if (ofData && name.includes('write')) {
			dirty = true;
		}
	}
	return seen;
}

async function traced(daemon, data, people) {
	const { pid, synced } = keeper(daemon, data), file = join(work, 'keeper.trace'), seconds = options.quick ? 3 : 20;
	const strace = runBeside(['timeout', '-s', 'INT', String(seconds + 1), 'strace', '-y', '-s', '0', '-o', file, '-p', String(pid),
		'-e', 'trace=recvfrom,sendto,sendmsg,write,writev,pwrite64,pwritev,pwritev2,fdatasync,fsync,msync']).catch((error) => {
		if (!/status (124|130)/.test(error.message)) throw error;
	});
	say('looking at the syncs');
	await send(daemon, people, 'even', batch, seconds);
	await strace;
	const seen = judgeTrace(readFileSync(file, 'utf8'), synced);
	if (seen.groups < 10) throw new Error(`the trace of the keeper shows only ${seen.groups} groups of replies`);
	return { measure: `replies before their sync, of ${seen.groups} groups of replies in a trace with ${seen.syncs} syncs`, ours: seen.early, unit: '', bar: '0',
		met: seen.early === 0 && seen.syncs >= seen.groups, raw: seen };
}

// What the keeper has counted itself.
const counted = (daemon, data) => JSON.parse(run([tool('people_cost'), 'state', data, join(dirname(daemon.config), 'run/keeper.sock')]));

async function singles(daemon, people) {
	say('storing single events');
	const said = await send(daemon, people, 'even', 1, options.quick ? 4 : 10), p99 = said.p99_us / 1000;
	return [{ measure: `single durable events from ${connections} connections: 99th percentile`, ours: p99, unit: 'ms', bar: '≤ 25 ms', met: p99 <= 25, raw: said },
		{ measure: 'single durable events', ours: said.perSecond, unit: '1/s' }];
}

async function withWorkers(made, people, workers) {
	const data = copied(made.folder, 'events'), rows = [], name = workers === 1 ? 'one worker' : `${workers} workers`;
	const daemon = await serveStore('events', data, { workers, free: true });
	await send(daemon, people, 'even', batch, 1);
	const before = counted(daemon, data);
	for (const how of ['even', 'zipf']) rows.push(...rowsOf(how, people, name, await beside(daemon, people, how)));
	rows.push(...await singles(daemon, people));
	const after = counted(daemon, data), groups = after.groups - before.groups, syncs = after.syncs - before.syncs;
	rows.push({ measure: `syncs of ${groups.toLocaleString('en')} groups committed`, ours: syncs, unit: '', bar: `≥ ${groups}`, met: groups > 0 && syncs >= groups });
	rows.push(await traced(daemon, data, people));
	rows.push({ measure: 'private memory of the keeper afterwards', ours: privateBytes(keeper(daemon, data).pid) / (1 << 20), unit: 'MiB' });
	await daemon.stop();
	return rows;
}

export async function measure() {
	const people = howMany(), made = crowd(people);
	rmSync(join(work, 'data/sqlite.db'), { force: true });
	return withWorkers(made, people, 2);
}
