// The processes of the daemon: start, stop, reload, and what happens when one of them dies.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { environment, long, program, releaseProgram, run, startDaemon, temporaryFolder, wholeLines } from './daemon.mjs';
import { alive, askFresh, askOnAndOn, metrics, ownPlugins, pluginFolder, processes, question, quick, rules, runAside, serve, until, writeShop } from './server.mjs';

test('it starts, says where it listens, answers, and ends with status 0', async (t) => {
	const shop = await serve(t);
	assert.match(shop.daemon.log(), /^floorwalker: listening on http:\/\/127\.0\.0\.1:\d+\n/);
	assert.equal(await shop.banner(), 'one');
	assert.equal((await shop.ask('/livez')).status, 200);
	assert.equal((await shop.ask('/readyz')).status, 200);
	const pid = Number(readFileSync(join(shop.folder, 'run/floorwalker.pid'), 'utf8'));
	assert.equal(pid, shop.daemon.child.pid);
	assert.equal(statSync(join(shop.folder, 'run/control.sock')).mode & 0o777, 0o600);
	const all = processes(shop);
	assert.equal(all.workers.length, 2);
	assert.equal(await shop.daemon.stop(), 0);
	for (const process of [all.master, all.loader, ...all.workers]) assert.ok(!alive(process));
	assert.ok(!existsSync(join(shop.folder, 'run/floorwalker.pid')));
	assert.ok(!existsSync(join(shop.folder, 'run/control.sock')));
});

test('SIGTERM answers the request that is open', async (t) => {
	const shop = await serve(t, { config: { plugins: { web: {}, services: {} }, plugin_path: bothPluginFolders(t) } });
	const late = shop.ask('/services/late');
	await until(async () => (await metrics(shop)).floorwalker_http_requests_in_flight > 1);
	shop.daemon.signal('SIGTERM');
	assert.equal((await late).body, 'late');
	assert.equal(await shop.daemon.ended, 0);
});

// The keeper missed what it was told while it began, and was waited for until drain_ms was over.
test('SIGTERM is heard as soon as it says where it listens', async (t) => {
	for (let i = 0; i < 4; i++) {
		const folder = writeShop(t, { config: { limits: { ...quick, drain_ms: 60000 } } });
		const daemon = await startDaemon(t, join(folder, 'floorwalker.lua'));
		const since = Date.now();
		assert.equal(await daemon.stop(), 0, daemon.log());
		assert.ok(Date.now() - since < 20000, daemon.log());
	}
});

// The plugins of the tree, and the tests' own.
function bothPluginFolders(t) {
	const folder = temporaryFolder(t);
	for (const name of ['web', 'log']) cpSync(join(ownPlugins, `${name}.so`), join(folder, `${name}.so`));
	cpSync(join(pluginFolder, 'services.so'), join(folder, 'services.so'));
	return folder;
}

test('a second daemon in the same run folder is refused', async (t) => {
	const shop = await serve(t);
	const { status, stderr } = run(['serve', '--config', shop.config]);
	assert.equal(status, 1);
	assert.match(stderr, /another floorwalker \(process \d+\) uses this run folder/);
	assert.equal(await shop.banner(), 'one');
});

test('a start that cannot be is refused with file, line and cause', async (t) => {
	const folder = writeShop(t, { files: { 'shop/home.lua': 'slot "s" { channel = "web" }\nrule "r" { slot = "t", show = {} }\n' } });
	const { status, stderr } = run(['serve', '--config', join(folder, 'floorwalker.lua')]);
	assert.equal(status, 1);
	assert.match(stderr, /floorwalker: not started: home\.lua:2: /);
});

test('mistakes in the configuration are named', (t) => {
	const cases = [
		['lisen = { "127.0.0.1:0" }', /:1: there is no key "lisen"; did you mean "listen"\?/],
		['\nworkers = "many"', /:2: workers wants "auto" or a number and got a string/],
		['rules = "shop"\nlimits = { body_byte = 1 }', /:2: there is no key "body_byte" in limits; did you mean "body_bytes"\?/],
		['timezone = "Europe/Belin"', /:1: there is no time zone "Europe\/Belin"/],
		['currency = "Euro"', /currency wants three capital letters/],
		['rules = shop', /:1: shop is not defined; did you mean "shop" in quotes\?/],
		['rules = "shop"\nrules = "shop"', /:2: rules is set twice/],
		['rules = "shop" listen = { "example:80" }', /"example:80" is no address to listen on; write/],
		['while true do end', /the configuration runs too long/],
		['rules = "shop"\nplugins = { web = true }', /:2: plugins\.web wants a table/],
		['rules = ("x"):rep(10)', /:1: attempt to/],
		['rules = "shop" x = {', /:1: /],
		['os.exit(3)', /os is not defined/],
		['keys = { write = "w", read = "r" }', /there is no key "read" in keys/],
		['holdout = 101', /holdout wants a number from 0 to 100/],
		['retain = { known = "forever" }', /known wants a duration and got "forever"/],
		['cors = { "shop.example" }', /"shop.example" is no origin/],
		['proxies = { "10.0.0.0/40" }', /10\.0\.0\.0\/40/],
		['store = "mysql://x"', /:1: store cannot be "mysql"/],
		['rules = "shop"\nstore = "postgres://user:secret@127.0.0.1/shop"', /:2: store cannot be "postgres": it is of no known kind; write "lmdb:FOLDER", "redis:/],
		['rules = "shop"\nstore = "redis://127.0.0.1:0"', /:2: the store's URL has no such port; write "redis:/],
		['rules = "shop"\nstore = "redis://h?password=secret"', /:2: the store's URL has a parameter that is not db; write/],
		['rules = "shop"\nstore = "redis://h"\ndurability = "commit"', /durability cannot be "commit" with this store; Redis has "server" and "replicated"/],
		['rules = "shop"\ndurability = "replicated"', /durability cannot be "replicated" with this store; LMDB has "commit" and "interval"/],
		['durability = "replicated"', /durability/],
		['retain = { anonymous = "2yr" }', /anonymous wants a duration and got "2yr"/],
		['consent = { default = { email = "granted" } }', /:1: consent: "email" is a channel, and no place opens one; only the person does/],
		['rules = "shop"\nconsent = { region = { UK = { analytics = "denied" } } }', /consent\.region: there is no place "UK"; ISO 3166 says GB/],
		['consent = { region = { ["US_CA"] = { sale = "denied" } } }', /there is no place "US_CA"; write EU, a country/],
		['consent = { default = { analytics = true } }', /analytics/],
		['consent = { region = { eu = { sale = "no" } } }', /sale cannot be "no"/],
		['listen = {}', /listen wants 1 to \d+ addresses/],
		['', /rules is not set/],
		['user = "nobody-has-this-name" rules = "shop" run = "run" listen = "127.0.0.1:0"', /there is no user "nobody-has-this-name"/],
	];
	for (const [text, wanted] of cases) {
		const folder = temporaryFolder(t, { 'floorwalker.lua': text });
		const { status, stderr } = run(['serve', '--config', join(folder, 'floorwalker.lua')]);
		assert.equal(status, 1, text);
		assert.match(stderr, wanted, text);
	}
});

test('listening beyond this machine without keys is refused', (t) => {
	for (const address of ['0.0.0.0:0', '[::]:0']) {
		const folder = writeShop(t, { config: { listen: [address] } });
		const { status, stderr } = run(['serve', '--config', join(folder, 'floorwalker.lua')]);
		assert.equal(status, 1);
		assert.match(stderr, /without keys is refused; set keys/);
	}
});

test('a reload that takes the keys away is refused beyond this machine', async (t) => {
	const shop = await serve(t, { config: { listen: ['0.0.0.0:0'], keys: { secret: ['s-secret-secret-1'] } } });
	shop.configure({ keys: undefined });
	const { status, stderr } = shop.reload();
	assert.equal(status, 1);
	assert.match(stderr, /without keys is refused/);
});

test('a Unix socket is served, and replaced when a dead process left it', async (t) => {
	const shop = await serve(t, { config: { listen: ['127.0.0.1:0', 'unix:run/http.sock'] } });
	const socketPath = join(shop.folder, 'run/http.sock');
	const get = () => new Promise((done, fail) => {
		request({ socketPath, path: '/livez' }, (answer) => { answer.resume(); done(answer.statusCode); }).on('error', fail).end();
	});
	assert.match(shop.daemon.log(), /listening on http:\S+ unix:\S+http\.sock/);
	assert.equal(await get(), 200);
	const all = processes(shop);
	shop.daemon.signal('SIGKILL');
	await until(() => ![all.master, all.loader, ...all.workers].some(alive), { what: 'all processes end' });
	assert.ok(existsSync(socketPath));
	const again = await serve(t, { config: { listen: ['127.0.0.1:0', `unix:${socketPath}`] } });
	assert.equal(await get(), 200);
	await again.daemon.stop();
	assert.ok(!existsSync(socketPath));
});

test('everybody ends when the master is killed', async (t) => {
	const shop = await serve(t);
	const all = processes(shop);
	process.kill(all.master, 'SIGKILL');
	await until(() => ![all.loader, ...all.workers].some(alive), { what: 'loader and workers end' });
});

test('reload takes a changed rule set into service', async (t) => {
	const shop = await serve(t);
	const before = processes(shop);
	shop.write({ 'shop/home.lua': rules('two') });
	const { status, stdout } = shop.reload();
	assert.equal(status, 0);
	assert.match(stdout, /^reloaded: generation 2 serves rule set [0-9a-f]{32}\n( {2}[a-z]+ +(ok|skipped) +\d+ ms.*\n){7}$/);
	assert.equal(await shop.banner(), 'two');
	await until(() => !before.workers.some(alive), { what: 'the former workers end' });
	assert.equal(shop.status().generation, 2);
});

test('SIGHUP does the same', async (t) => {
	const shop = await serve(t);
	shop.write({ 'shop/home.lua': rules('two') });
	shop.daemon.signal('SIGHUP');
	await until(async () => await shop.banner() === 'two', { what: 'the new rules answer' });
});

test('a broken set is refused with file and line, and the old one goes on', async (t) => {
	const shop = await serve(t);
	const before = processes(shop);
	shop.write({ 'shop/home.lua': rules('two'), 'shop/other.lua': '\n\nrule "x" { slot = "nowhere", show = {} }\n' });
	const { status, stderr } = shop.reload();
	assert.equal(status, 1);
	assert.match(stderr, /^other\.lua:3: .*nowhere/);
	assert.match(stderr, /refused: the former rule set goes on\n$/);
	assert.equal(await shop.banner(), 'one');
	assert.deepEqual(processes(shop), before);
	const told = shop.log().find((line) => line.msg.startsWith('the load was refused'));
	assert.equal(told.file, 'other.lua');
	assert.equal(told.line, '3');
	const ready = await shop.ask('/readyz?verbose');
	assert.equal(ready.status, 200);
	assert.equal(ready.body.lastLoad.ok, false);
	assert.equal(ready.body.lastLoad.errors[0].file, 'other.lua');
	assert.equal(ready.body.lastLoad.errors[0].line, 3);
	assert.equal((await metrics(shop))['floorwalker_loads_total{result="refused"}'], 1);
	assert.match(shop.command('status').stdout, /last load {3}refused\n +other\.lua:3: /);
	rmSync(join(shop.folder, 'shop/other.lua'));
	assert.equal(shop.reload().status, 0);
	assert.equal(await shop.banner(), 'two');
	assert.equal((await shop.ask('/readyz?verbose')).body.lastLoad.ok, true);
});

test('a rule test that fails keeps the old set', async (t) => {
	const shop = await serve(t);
	shop.write({ 'shop/home.lua': rules('two', 'test "wrong" {\n  given = { page_type = "home" },\n  expect = { s = "default" },\n}\n') });
	const { status, stderr } = shop.reload();
	assert.equal(status, 1);
	assert.match(stderr, /home\.lua:4: /);
	assert.equal(await shop.banner(), 'one');
});

test('rollback serves the set from before, whatever the files are, and leads back again', async (t) => {
	const shop = await serve(t), rollback = () => shop.command('rollback');
	const none = rollback();
	assert.equal(none.status, 1);
	assert.match(none.stderr, /there is no rule set to go back to: none has served before this one\nrefused: the rule set in service goes on\n$/);
	shop.write({ 'shop/home.lua': rules('two') });
	assert.equal(shop.reload().status, 0);
	assert.equal(shop.reload().status, 0); // the same files are the same set
	rmSync(join(shop.folder, 'shop'), { recursive: true });
	const { status, stdout } = rollback();
	assert.equal(status, 0);
	assert.match(stdout, /^rolled back: generation \d+ serves rule set [0-9a-f]{32}\n( {2}[a-z]+ +(ok|skipped) +\d+ ms.*\n){7}$/);
	assert.equal(await shop.banner(), 'one');
	const { kept, lastLoad } = shop.status();
	assert.deepEqual([kept, lastLoad.ok, lastLoad.kept], [true, true, true]);
	assert.ok(shop.log().some(({ level, msg }) => level === 'warn' && /^serving the rule set from before, not the files/.test(msg)));
	assert.equal((await metrics(shop)).floorwalker_serving_kept_copy, 1);
	assert.equal(shop.reload().status, 1);
	assert.equal(await shop.banner(), 'one');
	assert.equal(rollback().status, 0);
	assert.equal(await shop.banner(), 'two');
	process.kill(processes(shop).loader, 'SIGKILL');
	await until(() => shop.status().generation > 5 && shop.status().state === 'serving', { what: 'a generation is made from the copy' });
	assert.equal(await shop.banner(), 'two');
	assert.equal(rollback().status, 0);
	shop.write({ 'shop/home.lua': rules('three') });
	assert.equal(shop.reload().status, 0);
	assert.equal(await shop.banner(), 'three');
	assert.equal(shop.status().kept, false);
});

test('a broken configuration keeps the old set', async (t) => {
	const shop = await serve(t);
	shop.write({ 'floorwalker.lua': 'rules = "shop"\nwhat = 1\n' });
	shop.daemon.signal('SIGHUP');
	await until(() => shop.log().some((line) => line.msg.startsWith('the load was refused')), { what: 'the refusal is logged' });
	assert.equal(await shop.banner(), 'one');
	assert.match(shop.log().find((line) => line.msg.startsWith('the load was refused')).error, /there is no key "what"/);
});

test('what a reload cannot change is named', async (t) => {
	const shop = await serve(t);
	shop.configure({ listen: ['127.0.0.1:1'], workers: 3, log: { level: 'debug' } });
	const { status, stderr } = shop.reload();
	assert.equal(status, 0);
	assert.match(stderr, /^listen: changes with the next start only\n$/);
	assert.equal(processes(shop).workers.length, 3);
	assert.equal(await shop.banner(), 'one');
});

test('no request fails while sets are reloaded, broken ones among them', async (t) => {
	const shop = await serve(t);
	const seen = askOnAndOn(shop);
	const times = long ? 200 : 6;
	for (let i = 0; i < times; i++) {
		shop.write({ 'shop/home.lua': i % 4 === 3 ? 'rule "r" {' : rules(`b${i}`) });
		const { status } = await runAside(['reload', '--config', shop.config]);
		assert.equal(status, i % 4 === 3 ? 1 : 0);
	}
	seen.stop = true;
	await seen.ended;
	assert.deepEqual(seen.failures, []);
	assert.ok(seen.answers > times);
	assert.ok(seen.banners.has('b0') && seen.banners.has(`b${times - 2}`), [...seen.banners].join(' '));
});

const RELOADS = long ? 50 : 8;
test(`${RELOADS} reloads in a row leave nothing behind`, async (t) => {
	const shop = await serve(t);
	const count = (pid, what) => Number(spawnSync('sh', ['-c', what === 'fds' ? `ls /proc/${pid}/fd | wc -l` : `ps --ppid ${pid} -o pid= | wc -l`], { encoding: 'utf8' }).stdout);
	for (let i = 0; i < 5; i++) assert.equal(shop.reload().status, 0);
	await until(() => shop.status().draining === 0);
	const fds = count(shop.daemon.child.pid, 'fds');
	for (let i = 0; i < RELOADS; i++) shop.daemon.signal('SIGHUP');
	for (let i = 0; i < RELOADS; i++) assert.equal((await runAside(['reload', '--config', shop.config])).status, 0);
	await until(() => shop.status().draining === 0 && shop.status().state === 'serving');
	assert.equal(count(shop.daemon.child.pid, 'fds'), fds);
	assert.equal(count(shop.daemon.child.pid, 'children'), 2); // the loader and the keeper
	assert.equal(await shop.banner(), 'one');
});

test('two hundred reloads leave memory as it was', { skip: long ? false : 'measured with --long' }, async (t) => {
	const shop = await serve(t, { bin: releaseProgram });
	const memory = () => {
		const { master, loader, workers } = processes(shop);
		return [master, loader, ...workers].map((pid) => Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss_Anon:\s+(\d+)/m)[1])).reduce((a, b) => a + b);
	};
	for (let i = 0; i < 20; i++) assert.equal((await runAside(['reload', '--config', shop.config])).status, 0);
	await until(() => shop.status().draining === 0);
	const before = memory();
	for (let i = 0; i < 200; i++) assert.equal((await runAside(['reload', '--config', shop.config])).status, 0);
	await until(() => shop.status().draining === 0);
	assert.ok(memory() < before + 512, `${before} kB, then ${memory()} kB`);
});

test('a worker that is killed is replaced, from memory and not from the files', async (t) => {
	const shop = await serve(t);
	shop.write({ 'shop/home.lua': 'nonsense {' });
	for (const worker of processes(shop).workers) {
		process.kill(worker, 'SIGKILL');
		await until(() => { const now = processes(shop).workers; return now.length === 2 && !now.includes(worker); }, { what: 'a new worker' });
	}
	for (let i = 0; i < 20; i++) assert.equal(await shop.banner(), 'one');
	assert.equal(shop.status().generation, 1);
	assert.equal((await metrics(shop)).floorwalker_workers_lost_total, 2);
});

test('a worker that hangs is killed and replaced', async (t) => {
	const shop = await serve(t, { config: { limits: { ...quick, heartbeat_ms: 2000 } } });
	const [worker] = processes(shop).workers;
	process.kill(worker, 'SIGSTOP');
	await until(() => !processes(shop).workers.includes(worker) && processes(shop).workers.length === 2, { what: 'another worker' });
	await until(() => shop.log().some((line) => line.msg === 'a worker is silent and is killed' && line.worker === String(worker)), { what: 'the log says so' });
});

test('a loader that is killed: its workers go on, a new generation comes from the copy', async (t) => {
	const shop = await serve(t);
	const before = processes(shop);
	shop.write({ 'shop/home.lua': 'nonsense {' });
	const seen = askOnAndOn(shop, { connections: 2 });
	process.kill(before.loader, 'SIGKILL');
	await until(() => shop.status().generation === 2 && shop.status().state === 'serving', { what: 'a new generation' });
	seen.stop = true;
	await seen.ended;
	assert.deepEqual(seen.failures, []);
	assert.equal(shop.status().kept, true);
	assert.equal(await shop.banner(), 'one');
	assert.notEqual(processes(shop).loader, before.loader);
	assert.ok(!before.workers.some((w) => processes(shop).workers.includes(w)));
	assert.equal((await metrics(shop)).floorwalker_loaders_lost_total, 1);
	shop.write({ 'shop/home.lua': rules('two') });
	assert.equal(shop.reload().status, 0);
	assert.equal(await shop.banner(), 'two');
	assert.equal(shop.status().kept, false);
});

test('a start whose files do not load serves the last good copy, loudly', async (t) => {
	const first = await serve(t);
	await first.daemon.stop();
	first.write({ 'shop/home.lua': 'nonsense {' });
	const daemon = await startDaemon(t, first.config);
	const answer = await askFresh(`${daemon.url}/v1/decide`, question);
	assert.equal(JSON.parse(answer.text).decisions.s.content.banner, 'one');
	await until(() => /"level":"error"[^\n]*"serving the last good copy/.test(daemon.log()), { what: 'the log says so' });
	assert.match(first.command('status').stdout, /from the last good copy/);
});

test('SIGHUPs during a load become one more', async (t) => {
	const shop = await serve(t);
	for (let i = 0; i < 20; i++) shop.daemon.signal('SIGHUP');
	assert.equal(shop.reload().status, 0);
	await until(() => shop.status().state === 'serving');
	assert.ok(shop.status().generation <= 5, `generation ${shop.status().generation}`);
});

test('a request that never ends is ended with its generation', async (t) => {
	const shop = await serve(t, { config: { limits: { ...quick, drain_ms: 300, kill_ms: 100 } } });
	const { port } = new URL(shop.url);
	const socket = connect(port, '127.0.0.1');
	socket.on('error', () => {});
	socket.write('POST /v1/decide HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
	await until(async () => (await metrics(shop)).floorwalker_http_connections > 1);
	const before = processes(shop);
	assert.equal(shop.reload().status, 0);
	await until(() => !before.workers.some(alive), { what: 'the former workers end' });
	socket.destroy();
});

test('SIGUSR1 opens the log again, in all processes', async (t) => {
	const shop = await serve(t, { config: { log: { file: 'log.jsonl', level: 'info' } } });
	const file = join(shop.folder, 'log.jsonl');
	await until(() => existsSync(file) && readFileSync(file, 'utf8').includes('serving'));
	renameSync(file, `${file}.1`);
	shop.daemon.signal('SIGUSR1');
	await until(() => existsSync(file), { what: 'a new log' });
	shop.write({ 'shop/home.lua': 'nonsense {' });
	shop.reload();
	await until(() => readFileSync(file, 'utf8').includes('the load was refused'));
	for (const line of wholeLines(readFileSync(file, 'utf8'))) JSON.parse(line);
});

test('sockets of a supervisor are used', async (t) => {
	const folder = writeShop(t, { config: { listen: ['127.0.0.1:1'] } });
	const port = 20000 + Math.floor(Math.random() * 20000);
	const child = spawn('systemd-socket-activate', ['-l', `127.0.0.1:${port}`, program, 'serve', '--config', join(folder, 'floorwalker.lua')],
		{ env: environment(), stdio: ['ignore', 'ignore', 'pipe'] });
	let log = '';
	child.stderr.setEncoding('utf8').on('data', (text) => { log += text; });
	t.after(() => child.kill('SIGTERM'));
	await until(() => /Listening on/.test(log), { what: 'systemd-socket-activate listens' });
	const answer = await fetch(`http://127.0.0.1:${port}/v1/decide`, { method: 'POST', body: JSON.stringify(question) });
	assert.equal((await answer.json()).decisions.s.content.banner, 'one');
	assert.match(log, new RegExp(`listening on http://127\\.0\\.0\\.1:${port}`));
	const ended = new Promise((done) => child.on('exit', (status) => done(status)));
	child.kill('SIGTERM');
	assert.equal(await ended, 0);
});

test('a supervisor is told what happens', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'fw-notify-'));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	// Node has no Unix datagram sockets.
	const path = join(folder, 'notify');
	const listener = spawn('python3', ['-uc', `import socket,sys
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind(sys.argv[1]); print('ready')
while True: print(s.recv(4096).decode().replace(chr(10),' '))`, path], { stdio: ['ignore', 'pipe', 'inherit'] });
	t.after(() => listener.kill());
	let told = '';
	listener.stdout.setEncoding('utf8').on('data', (text) => { told += text; });
	await until(() => told.includes('ready'));
	const shop = await serve(t, { env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '200000' } });
	await until(() => /^READY=1 STATUS=serving$/m.test(told), { what: 'READY=1' });
	await until(() => (told.match(/WATCHDOG=1/g) ?? []).length >= 3, { what: 'WATCHDOG=1' });
	told = '';
	shop.daemon.signal('SIGHUP');
	await until(() => /RELOADING=1[^]*READY=1/.test(told), { what: 'RELOADING=1, READY=1' });
	await shop.daemon.stop();
	await until(() => /STOPPING=1/.test(told), { what: 'STOPPING=1' });
});

test('the control socket refuses what it does not know, and bears garbage', async (t) => {
	const shop = await serve(t);
	const say = (text) => new Promise((done) => {
		let answer = '';
		const socket = connect(join(shop.folder, 'run/control.sock'));
		socket.setEncoding('utf8').on('data', (d) => { answer += d; if (answer.endsWith('\n')) socket.destroy(); }).on('close', () => done(answer)).on('error', () => done('error'));
		socket.write(text);
	});
	assert.match(await say('{"command":"fly"}\n'), /the commands are reload, rollback and status/);
	assert.match(await say('not json\n'), /the commands are reload, rollback and status/);
	assert.match(await say('x'.repeat(10000)), /^(error)?$/);
	assert.equal(JSON.parse(await say('{"command":"status"}\n')).state, 'serving');
	assert.equal(await shop.banner(), 'one');
});

test('reload, rollback and status say when nobody runs', (t) => {
	const folder = writeShop(t);
	for (const command of ['reload', 'rollback', 'status']) {
		const { status, stderr } = run([command, '--config', join(folder, 'floorwalker.lua')]);
		assert.equal(status, 1);
		assert.match(stderr, /no floorwalker runs with this run folder/);
	}
});

test('privileges are dropped', { skip: process.getuid() === 0 ? false : 'needs root' }, async (t) => {
	// Everybody may read it, wherever the tests' own temporary folder is.
	const folder = mkdtempSync('/tmp/fw-user-');
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	chmodSync(folder, 0o755);
	cpSync(join(ownPlugins, 'web.so'), join(folder, 'plugins/web.so'));
	const shop = await serve(t, { folder, config: { user: 'nobody', group: 'nogroup', plugin_path: 'plugins', run: 'var/lib/run' } });
	const all = processes(shop);
	for (const pid of [all.master, all.loader, ...all.workers]) {
		const status = readFileSync(`/proc/${pid}/status`, 'utf8');
		assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
		assert.match(status, /^Gid:\t65534\t65534\t65534\t65534$/m);
		assert.match(status, /^Groups:\s*$/m);
		assert.match(status, /^NoNewPrivs:\t1$/m);
	}
	assert.equal(shop.reload().status, 0);
	assert.equal(await shop.banner(), 'one');
});
