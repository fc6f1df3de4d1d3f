// Messages that are due at one moment, through the plugin email to a mail server (smtp_sink.c) that is faster than whoever sends: how many a
// second beside a bare sender over libcurl (smtp_peer.c), what the worker and the keeper hold meanwhile, decisions while it goes on, and
// when the first of a batch comes while a million others have time.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../system/daemon.mjs';
import { cpuUs, median, options, percentile, privateBytes, run, runBeside, say, sleep, status, tool, tree, work } from './bench.mjs';
import { copied, serveStore } from './crowd.mjs';
import { keeper } from './events.mjs';
import { startSink } from './sink.mjs';

const connections = 8, batch = 100, mebibyte = 1 << 20, decisionsASecond = 2000;
const many = () => Number(process.env.FW_BENCH_MESSAGES ?? (options.quick ? 5000 : 50000));
const waiting = () => Number(process.env.FW_BENCH_WAITING ?? (options.quick ? 20000 : 1000000));
const thousands = (n) => Math.round(n).toLocaleString('en');

// --- the store: the example's, where its letter about the cart is due after so many hours; without the guard that has letters wait for the
// day, without the text to who wants no letters, and without the tests, which are of all of them and run with every load

function letters(after) {
	const changes = [[/^guard "letters-by-day" \{\n.*?^\}\n/ms, ''], [/^rule "cart-text" \{\n.*?^\}\n/ms, ''], [/^test ".*?^\}\n/gms, ''], [/(?<=^rule "cart-reminder" \{[^}]*\bafter += )"1h"/m, `"${after}h"`]];
	return changes.reduce((text, [what, by]) => {
		if (text.search(what) < 0) throw new Error(`rules/shop/messages.lua has nothing that matches ${what}`);
		return text.replace(what, by);
	}, readFileSync(join(tree, 'rules/shop/messages.lua'), 'utf8'));
}

function rules(after) {
	const folder = join(work, `messages/rules-${after}h`);
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	cpSync(join(tree, 'rules/shop'), folder, { recursive: true });
	writeFileSync(join(folder, 'messages.lua'), letters(after));
	return folder;
}

// No `rate`, and as many deliveries at once as a worker can have people in its hands (512), in 100 domains of 50 at most: nothing but the
// connections holds anything back.
async function open(sink, after) {
	const data = copied(undefined, 'messages'), email = [`smtp = "smtp://127.0.0.1:${sink.port}"`, 'from = "Nordkamm Outdoor <hello@shop.example>"',
		'address = "Nordkamm Outdoor GmbH, Kastanienweg 7, 10115 Berlin, Germany"', `connections = ${connections}`, 'at_once = 512'];
	const daemon = await serveStore('messages', data, { rules: rules(after), workers: 1, free: true, plugins: `email = { ${email.join(', ')} }` });
	return { daemon, after, worker: status(daemon).workers[0].pid, keeper: keeper(daemon, data).pid };
}

// People from `first` on, to each of whom a message is due at `dueUs`, or within `spreadUs` after it.
async function load({ daemon, after }, first, people, dueUs, spreadUs = 0) {
	say(`${thousands(people)} people leave a cart behind`);
	const said = JSON.parse(await runBeside([tool('messages_load'), new URL(daemon.url).port, ...[first, people, dueUs, spreadUs, after * 3600, 64, batch].map(String)], { seconds: 3600 }));
	if (Date.now() * 1000 > dueUs - 1e6) throw new Error('loading took so long that the messages were due meanwhile');
	return said;
}

async function counted({ daemon }) {
	const text = await (await fetch(`${daemon.url}/metrics`)).text();
	const value = (name) => Number(text.match(new RegExp(`^floorwalker_${name.replace(/[{}]/g, '\\$&')} (\\d+)$`, 'm'))[1]);
	const asked = Object.fromEntries(['get', 'scan', 'batch', 'conflict', 'busy'].map((one) => [one, value(`store_operations_total{operation="${one}"}`)]));
	return { ...asked, ...Object.fromEntries(['judged', 'sent', 'deferred', 'refused', 'retried', 'failed', 'lost'].map((one) => [one, value(`messages_${one}_total`)])) };
}

// Resident memory that is the process's own, and with the pages of files, such as the store's.
const held = (pid) => ({ own: privateBytes(pid), resident: Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB/m)[1]) * 1024 });

// Waits for the messages and looks at the memory on the way.
async function watch(sink, shop, n) {
	const marks = [0.2, 0.5, 1].map((share) => Math.round(n * share)), memory = [];
	const look = ({ distinct }) => {
		if (distinct >= marks[memory.length]) memory.push({ sent: distinct, worker: held(shop.worker), keeper: held(shop.keeper) });
	};
	const report = await sink.reached(n, { look });
	while (memory.length < marks.length) look(report);
	return { report, memory };
}

// What is measured is what should be: each came once, and the daemon thinks so, too. A worker tells what it has counted every other second.
async function settled(sink, shop, n) {
	await until(async () => (await counted(shop)).sent >= n, { what: `the daemon knows of ${n} messages that they were sent`, seconds: 30 });
	const { messages, distinct, again, unnamed } = await sink.report(), { sent, refused, retried, failed, lost } = await counted(shop);
	if (distinct !== n || unnamed || sent !== n || refused || retried || failed || lost)
		throw new Error(`of ${n} messages: ${JSON.stringify({ messages, distinct, again, unnamed, sent, refused, retried, failed, lost })}`);
	return again;
}

const rateOf = ({ messages, first_us, last_us }) => messages / ((last_us - first_us) / 1e6);

// --- as fast as they go

// `beside(dueUs)` may ask for something else meanwhile; what it answers is kept.
async function send(sink, n, beside = () => undefined) {
	const shop = await open(sink, 1), dueUs = (Date.now() + 6000 + n) * 1000;
	await sink.reset();
	const loaded = await load(shop, 0, n, dueUs), before = await counted(shop), cpu = [shop.worker, shop.keeper].map(cpuUs);
	if ((await sink.report()).messages) throw new Error('messages came before they were due');
	const asked = beside(shop, dueUs);
	await sleep(Math.max(0, dueUs / 1e6 - Date.now() / 1000 - 0.2));
	const { report, memory } = await watch(sink, shop, n);
	const again = await settled(sink, shop, n), after = await counted(shop);
	const [worker, own] = [shop.worker, shop.keeper].map((pid, i) => (cpuUs(pid) - cpu[i]) / n);
	const answers = await asked;
	await shop.daemon.stop();
	return { ...report, again, perSecond: rateOf(report), bytesEach: report.bytes / report.messages, firstMs: (report.first_us - dueUs) / 1000, memory, loaded, answers, worker_us: worker,
		keeper_us: own, store: Object.fromEntries(['get', 'scan', 'batch', 'conflict', 'busy'].map((what) => [what, (after[what] - before[what]) / n])) };
}

async function peer(sink, n, file, seed) {
	await sink.reset();
	const said = JSON.parse(await runBeside([tool('smtp_peer'), String(sink.port), String(connections), String(n), file, String(seed)])), report = await sink.report();
	if (report.distinct !== n || report.connections > connections) throw new Error(`the peer sent ${report.distinct} of ${n} messages over ${report.connections} connections`);
	return { ...report, ...said, perSecond: rateOf(report), bytesEach: report.bytes / report.messages };
}

async function besidePeer(sink, n) {
	const rounds = options.quick ? 1 : 3, ours = [], theirs = [], file = join(work, 'messages/message.eml');
	await sink.save(file);
	for (let i = 0; i < rounds; i++) {
		say(`sending ${thousands(n)} messages, ${i + 1} of ${rounds}`);
		ours.push(await send(sink, n));
		theirs.push(await peer(sink, n, file, i + 1));
	}
	const [size, sizePeer] = [ours, theirs].map((list) => median(list.map(({ bytesEach }) => bytesEach)));
	if (Math.abs(size / sizePeer - 1) > 0.01) throw new Error(`our messages have ${size} bytes, the peer's ${sizePeer}`);
	return { ours, theirs, size };
}

// What is held at most, and by how much that is more than after a fifth of the messages; the worst round.
function memoryRows(name, who, ours) {
	const rounds = ours.map(({ memory }) => memory.map((mark) => mark[who].own)), most = Math.max(...rounds.flat());
	const grown = Math.max(...rounds.map((marks) => Math.max(...marks) / marks[0] - 1)) * 100;
	return [
		{ measure: `${name}: private memory of the ${who}, at most`, ours: most / mebibyte, unit: 'MiB', raw: ours.map(({ memory }) => memory) },
		{ measure: `${name}: the same, change from a fifth of them to all`, ours: grown, unit: '%', bar: '≤ 5 %', met: grown <= 5 },
	];
}

function sendingRows(n, { ours, theirs, size }) {
	const of = (list, what) => median(list.map((one) => one[what])), name = `${thousands(n)} e-mails`;
	const again = ours.reduce((sum, one) => sum + one.again, 0), rate = of(ours, 'perSecond'), peerRate = of(theirs, 'perSecond');
	return [
		{ measure: `${name} due at one moment, ${thousands(size)} B each, one worker, commit, ${connections} connections to the server: from the first to the last there`,
			ours: rate, unit: '1/s', peer: peerRate, peerName: `libcurl ${theirs[0].libcurl}, multi`, ratio: rate / peerRate, least: 0.5, raw: { ours, theirs } },
		{ measure: `${name}: that came twice`, ours: again, unit: '', bar: '0', met: again === 0 },
		{ measure: `${name}: the first after it was due`, ours: of(ours, 'firstMs'), unit: 'ms' },
		{ measure: `${name}: processor time of the worker for one`, ours: of(ours, 'worker_us'), unit: 'µs', peer: of(theirs, 'cpu_us'), peerName: 'libcurl' },
		{ measure: `${name}: processor time of the keeper for one`, ours: of(ours, 'keeper_us'), unit: 'µs' },
		{ measure: `${name}: batches of the store for one`, ours: median(ours.map((one) => one.store.batch)), unit: '' },
		...memoryRows(name, 'worker', ours), ...memoryRows(name, 'keeper', ours),
	];
}

// --- decisions meanwhile

// Of the people who are written to, so that their records are read while they change; slots of the example store's pages.
function bodies(n) {
	const slots = ['home.hero', 'home.strip', 'home.layout', 'navigation', 'cart.note'], path = join(work, 'messages/bodies.jsonl');
	const context = (i) => ({ locale: i % 3 ? 'en-CA' : 'de-DE', timezone: 'America/Toronto', page: { url: `https://shop.example/${['', 'boots', 'tents', 'cart'][i % 4]}?n=${i}`, type: 'home' },
		userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1' });
	writeFileSync(path, Array.from({ length: Math.min(n, 10000) }, (_, i) => JSON.stringify({ userId: `user-${(i * 7919) % n}`, slots, context: context(i) })).join('\n'));
	return path;
}

// From four seconds before the messages are due, at their own pace (open_loop.c), until all of them should have come.
async function decide({ daemon }, dueUs, file, seconds) {
	const { url } = daemon, answer = await fetch(`${url}/v1/decide`, { method: 'POST', body: readFileSync(file, 'utf8').split('\n')[0] }), said = await answer.json();
	if (answer.status !== 200 || said.degraded || said.decisions['home.layout']?.reason === undefined) throw new Error(`a decision was answered ${answer.status} ${JSON.stringify(said).slice(0, 300)}`);
	await sleep(Math.max(0, dueUs / 1e6 - Date.now() / 1000 - 4));
	const text = await runBeside([tool('open_loop'), new URL(url).port, '/v1/decide', file, String(decisionsASecond), String(seconds), '64']);
	return text.trim().split('\n').map((line) => line.split('\t').map(Number));
}

async function decisions(sink, n, rate) {
	// Messages give way to requests: on a busy machine they have gone out at a fifth of their rate.
	const file = bodies(n), seconds = Math.ceil(4 + 2 + 10 * n / rate), asked = seconds * decisionsASecond;
	say(`sending ${thousands(n)} messages while ${thousands(decisionsASecond)} decisions a second are asked for`);
	const { answers, ...sent } = await send(sink, n, (shop, dueUs) => decide(shop, dueUs, file, seconds));
	const during = answers.filter(([at]) => at >= sent.first_us && at <= sent.last_us), before = answers.filter(([at]) => at < sent.first_us - 500000);
	const asking = [answers[0][0], answers[0][0] + seconds * 1e6], after = (us) => ((us - asking[0]) / 1e6).toFixed(1);
	if (asking[1] < sent.last_us || !before.length || !during.length)
		throw new Error(`decisions were not asked for all the time while messages were sent: for ${seconds} s, and these went from ${after(sent.first_us)} to ${after(sent.last_us)} s after the first`);
	// What was never asked, because nothing was answered any more, has failed, too.
	const failed = asked - answers.filter(([, code]) => code === 200).length, p99 = (list) => percentile(list.map(([, , us]) => us), 0.99) / 1000;
	const what = `${thousands(decisionsASecond)} decisions a second while ${thousands(n)} e-mails are sent`, longest = during.reduce((most, [, , us]) => Math.max(most, us), 0);
	return [
		{ measure: `${what}: 99th percentile from when they were due, of ${thousands(during.length)}`, ours: p99(during), unit: 'ms', peer: p99(before), peerName: 'before the e-mails', bar: '< 5 ms', met: p99(during) < 5, raw: sent },
		{ measure: `${what}: the longest`, ours: longest / 1000, unit: 'ms' },
		{ measure: `${what}: failed of ${thousands(asked)}`, ours: failed, unit: '', bar: '0', met: failed === 0 },
		{ measure: `${what}: e-mails`, ours: sent.perSecond, unit: '1/s' },
		memoryRows(what, 'worker', [sent])[0],
	];
}

// --- a million that have time

async function punctual(sink, n) {
	const now = 1000, hours = 12, some = Math.ceil(n / 20), shop = await open(sink, 24), holds = () => [shop.worker, shop.keeper].map(held);
	const laterUs = (Date.now() + 3600 * 1000) * 1000, spreadUs = (hours - 1) * 3600 * 1e6;
	await sink.reset();
	// What taking events in needs is there with the first of them.
	await load(shop, 0, some, laterUs, spreadUs);
	const [before, keeperBefore] = holds();
	const later = await load(shop, some, n - some, laterUs, spreadUs);
	// Bucket after bucket is looked at again half a minute after the last notice; it should have been, with all there.
	await sleep(options.quick ? 5 : 35);
	const [waits, keeperWaits] = holds();
	const dueUs = Math.ceil(Date.now() / 1000 + 6) * 1e6;
	await load(shop, n, now, dueUs);
	if ((await sink.report()).messages) throw new Error('messages came before they were due');
	const report = await sink.reached(now);
	await settled(sink, shop, now);
	await shop.daemon.stop();
	const first = (report.first_us - dueUs) / 1000, all = (report.last_us - dueUs) / 1000, what = `${thousands(n)} messages due within ${hours} hours, and ${thousands(now)} at one moment`;
	if (first < 0) throw new Error(`the first message came ${-first} ms before it was due`);
	return [
		{ measure: `${what}: the first after it was due`, ours: first, unit: 'ms', bar: '≤ 1,000 ms', met: first <= 1000, raw: { report, later, before, keeperBefore, waits, keeperWaits } },
		{ measure: `${what}: the last of these`, ours: all, unit: 'ms' },
		{ measure: `${what}: private memory of the worker while they wait`, ours: waits.own / mebibyte, unit: 'MiB', peer: before.own / mebibyte, peerName: `${thousands(some)} of them` },
		{ measure: `${what}: private memory of the keeper while they wait`, ours: keeperWaits.own / mebibyte, unit: 'MiB', peer: keeperBefore.own / mebibyte, peerName: `${thousands(some)} of them` },
		{ measure: `${what}: events that made them, batches of ${batch} from 64 connections`, ours: later.perSecond, unit: '1/s' },
	];
}

export async function measure() {
	const stop = [], n = many();
	try {
		mkdirSync(join(work, 'messages'), { recursive: true });
		const sink = await startSink(stop), results = await besidePeer(sink, n);
		return [...sendingRows(n, results), ...await decisions(sink, n, median(results.ours.map((one) => one.perSecond))), ...await punctual(sink, waiting())];
	} finally {
		while (stop.length) await stop.pop()();
	}
}
