// The plugin host: what it refuses and how it says so, what it bears, and its services.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { program, run, temporaryFolder, tree } from './daemon.mjs';
import { startReceiver } from './receiver.mjs';
import { makeCertificates } from './redis.mjs';
import { alive, askFresh, askOnAndOn, installed, metrics, ownPlugins, pluginFolder, processes, question, quick, runAside, serve, until, writeShop } from './server.mjs';

// A folder with web.so and the tests' plugins of these names.
function plugins(t, ...names) {
	const folder = temporaryFolder(t);
	for (const name of ['web', 'log']) cpSync(join(ownPlugins, `${name}.so`), join(folder, `${name}.so`));
	for (const name of names) cpSync(join(pluginFolder, `${name}.so`), join(folder, `${name}.so`));
	return folder;
}

const using = (t, ...names) => ({
	plugin_path: plugins(t, ...names),
	plugins: Object.fromEntries(['web', ...names].map((name) => [name, {}])),
});

// Each names file, expected and found.
const refused = {
	magic: /magic\.so: is no floorwalker plugin: expected the magic number 4c505746, found deadbeef/,
	major: /major\.so: was built for another interface: expected 1\.7 or an earlier 1\.x, found 2\.7; build it again/,
	minor: /minor\.so: was built for another interface: expected 1\.7 or an earlier 1\.x, found 1\.8/,
	size: /size\.so: has a descriptor of the wrong size: expected \d+ bytes, found 24/,
	named: /named\.so: has another name: expected "named", found "somebody_else"/,
	no_symbol: /no_symbol\.so: is no floorwalker plugin: expected the symbol floorwalker_plugin, found none; export it/,
	undefined: /undefined\.so: cannot be loaded: .*undefined symbol: nobody_has_this/,
	metric: /metric\.so: has a metric with a wrong name: .*found "Not-A-Name"/,
	refuses: /refuses\.so: refuses its configuration: there is no moon tonight; wait for one/,
	crashes: /the loader died of signal 6 \(Aborted\) while configuring plugin crashes/,
	start_refuses: /start_refuses\.so: does not start: the door is locked/,
	start_crashes: /a worker died of signal 6 \(Aborted\) before it was ready, while in plugin start_crashes/,
	claims_taken: /(claims_taken and web|web and claims_taken) both claim \"\/v1\/decide\"/,
	claims_foreign: /claims_foreign\.so: claims \/web\/mine, which is below \/web\/: that plugin's own/,
};

for (const [name, message] of Object.entries(refused)) {
	test(`a plugin that is wrong is refused at a start: ${name}`, (t) => {
		const folder = writeShop(t, { config: using(t, name) });
		const { status, stderr } = run(['serve', '--config', join(folder, 'floorwalker.lua')]);
		assert.equal(status, 1);
		assert.match(stderr, message);
		assert.match(stderr, /^floorwalker: not started: /m);
	});
}

test('plugins that are wrong are refused at a reload, and the old set goes on', async (t) => {
	const shop = await serve(t);
	const before = processes(shop);
	for (const [name, message] of Object.entries(refused)) {
		shop.configure(using(t, name));
		const { status, stderr } = shop.reload();
		assert.equal(status, 1, name);
		assert.match(stderr, message);
	}
	assert.deepEqual(processes(shop), before);
	assert.equal(await shop.banner(), 'one');
});

// The plugin stops the master before it refuses, so that the worker's reason and, from the loader, its end wait together.
test('why a worker does not start is said though its end is heard of first', async (t) => {
	const shop = await serve(t, { config: { workers: 1 } });
	const { master, loader } = processes(shop);
	const state = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').match(/\) (\w)/)[1];
	const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
	shop.configure({ ...using(t, 'start_unheard'), workers: 1 });
	const reload = runAside(['reload', '--config', shop.config]);
	try {
		await until(() => state(master) === 'T', { what: 'the master is stopped' });
		await until(() => children(master).filter((pid) => pid !== loader).every((pid) => children(pid).length === 0 && state(pid) === 'S'), { what: 'the worker has ended, and its loader has told so' });
	} finally { process.kill(master, 'SIGCONT'); }
	const { status, stderr } = await reload;
	assert.equal(status, 1);
	assert.match(stderr, /start_unheard\.so: does not start: the door is locked/);
	assert.equal(await shop.banner(), 'one');
});

test('a plugin that hangs while it is configured is given up', async (t) => {
	const shop = await serve(t, { config: { limits: { ...quick, load_ms: 3000 } } });
	shop.configure({ ...using(t, 'hangs'), limits: { ...quick, load_ms: 3000 } });
	const { status, stderr } = shop.reload();
	assert.equal(status, 1);
	assert.match(stderr, /loading took longer than 3000 ms \(limits\.load_ms\), while configuring plugin hangs/);
	assert.equal(await shop.banner(), 'one');
});

test('a plugin that hangs while it starts is given up', async (t) => {
	const shop = await serve(t, { config: { limits: { ...quick, heartbeat_ms: 2000 } } });
	shop.configure({ ...using(t, 'start_hangs') });
	const { status, stderr } = shop.reload();
	assert.equal(status, 1);
	assert.match(stderr, /while in plugin start_hangs/);
	assert.equal(await shop.banner(), 'one');
});

test('a plugin that asks for what only a worker can do while it is configured is told no, and serves', async (t) => {
	const shop = await serve(t, { config: using(t, 'early') });
	assert.equal((await shop.ask('/wrong')).body, 'fine');
	const calls = shop.log().filter((line) => line.plugin === 'early' && /while|being configured/.test(line.msg)).map(({ call }) => call);
	assert.deepEqual([...new Set(calls)].sort(), ['consent', 'decide', 'deliver_result', 'deliver_retry', 'explain', 'http', 'ingest', 'kv_get', 'kv_put', 'message_event', 'node_timer_start', 'post',
		'rules_info', 'sign', 'suppress', 'timer_start', 'visitor', 'watch']);
});

test('a missing plugin, a file that is none, a name that cannot be', async (t) => {
	const folder = plugins(t);
	writeFileSync(join(folder, 'text.so'), 'hello');
	for (const [name, message] of [['absent', /absent\.so: cannot be read: No such file/], ['text', /text\.so: cannot be loaded: .*(file too short|invalid ELF)/], ['../web', /"\.\.\/web" is no plugin's name/]]) {
		const shop = writeShop(t, { config: { plugin_path: folder, plugins: { [name]: {} } } });
		const { status, stderr } = run(['serve', '--config', join(shop, 'floorwalker.lua')]);
		assert.equal(status, 1);
		assert.match(stderr, message);
	}
});

test('a crash in a request costs that worker, and nothing else', async (t) => {
	const shop = await serve(t, { config: using(t, 'serves') });
	assert.equal((await shop.ask('/wrong')).body, 'fine');
	const before = processes(shop).workers;
	await assert.rejects(askFresh(`${shop.url}/wrong?do=crash`));
	await until(() => processes(shop).workers.length === 2 && before.filter((w) => processes(shop).workers.includes(w)).length === 1, { what: 'one worker is replaced' });
	assert.equal(await shop.banner(), 'one');
	assert.ok(shop.log().some((line) => line.msg.startsWith('a worker is lost') && line.while === 'in plugin serves' && /signal 6/.test(line.how)));
});

test('a hang in a request costs that worker its open requests', async (t) => {
	const shop = await serve(t, { config: { ...using(t, 'serves'), limits: { ...quick, heartbeat_ms: 2000 } } });
	await assert.rejects(askFresh(`${shop.url}/wrong?do=hang`));
	assert.equal(await shop.banner(), 'one');
	assert.ok(shop.log().some((line) => line.msg === 'a worker is silent and is killed' && line.while === 'in plugin serves'));
});

test('a rebuilt plugin is picked up by a reload', async (t) => {
	const folder = plugins(t, 'serves');
	const shop = await serve(t, { config: { plugin_path: folder, plugins: { web: {}, serves: {} } } });
	const builds = () => shop.status().loaded.plugins.find((p) => p.name === 'serves').build;
	assert.equal(builds(), 'first');
	// The same object with another build text, written over the one that is being served.
	const bytes = readFileSync(join(folder, 'serves.so')).toString('latin1').replace('first\0', 'again\0');
	writeFileSync(join(folder, 'serves.so'), bytes, 'latin1');
	assert.equal((await shop.ask('/wrong')).body, 'fine');
	process.kill(processes(shop).workers[0], 'SIGKILL');
	await until(() => processes(shop).workers.length === 2);
	assert.equal(builds(), 'first');
	assert.equal(shop.reload().status, 0);
	assert.equal(builds(), 'again');
	assert.equal(JSON.parse((await askFresh(`${shop.url}/v1/decide`, question)).text).decisions.s.content.banner, 'one');
});

test('no request fails while a rebuilt plugin is loaded', async (t) => {
	const folder = plugins(t, 'serves');
	const shop = await serve(t, { config: { plugin_path: folder, plugins: { web: {}, serves: {} } } });
	const aside = async (...args) => runAside([...args, '--config', shop.config]);
	const decided = askOnAndOn(shop, { connections: 4 }), texts = new Set();
	const served = askOnAndOn(shop, { connections: 4, path: '/wrong', body: null, look: (text) => texts.add(text) });
	const stop = () => { decided.stop = served.stop = true; return Promise.all([decided.ended, served.ended]); };
	t.after(stop);
	let before = 'first';
	for (const build of ['again', 'third', 'fifth']) {
		const bytes = readFileSync(join(folder, 'serves.so')).toString('latin1'), from = [decided.answers, served.answers];
		assert.ok(bytes.includes(`${before}\0`));
		// As a linker does it: another file, of the same name.
		writeFileSync(join(folder, 'serves.so.new'), bytes.replace(`${before}\0`, `${build}\0`), 'latin1');
		renameSync(join(folder, 'serves.so.new'), join(folder, 'serves.so'));
		const { status, stderr } = await aside('reload');
		assert.equal(status, 0, stderr);
		const { loaded } = JSON.parse((await aside('status', '--json')).stdout);
		assert.equal(loaded.plugins.find((p) => p.name === 'serves').build, build);
		await until(() => decided.answers > from[0] && served.answers > from[1], { what: 'both are answered on' });
		before = build;
	}
	await stop();
	assert.deepEqual([decided.failures, served.failures], [[], []]);
	assert.deepEqual([[...decided.banners], [...texts]], [['one'], ['fine']]);
});

test('without web.so /v1/decide is 404', async (t) => {
	const shop = await serve(t, { config: { plugins: {} } });
	const { status, body } = await shop.decide();
	assert.equal(status, 404);
	assert.equal(body.error.code, 'not_found');
});

test('every service of the host', async (t) => {
	const folder = plugins(t, 'services');
	const config = { plugin_path: folder, workers: 1, plugins: { web: {}, services: { greeting: 'hello', file: 'a/b', number: 2.5 } } };
	const shop = await serve(t, { config });
	await until(async () => (await shop.ask('/services/state')).body.ticks === 3, { what: 'the timer ticks three times' });
	assert.deepEqual((await shop.ask('/services/state')).body, { ticks: 3, bytes: 3, posts: 1, greeting: 'hello', file: `${shop.folder}/a/b`, number: 2.5 });
	const echo = await shop.ask('/services/echo/some/where?p=a%20b', 'body', { headers: { 'x-test': 'yes' } });
	assert.equal(echo.status, 201);
	assert.equal(echo.headers.get('x-echo'), 'yes');
	assert.deepEqual(echo.body, { method: 4, path: '/services/echo/some/where', rest: 'some/where', param: 'a b', header: 'yes', body: 'body', address: '127.0.0.1', access: 0, gone: 0 });
	const segments = async (path, headers = {}) => (await shop.ask(`/services/segments/${path}`, undefined, { headers })).body;
	const none = { first: null, second: null, third: null };
	const host = new URL(shop.url).host;
	assert.deepEqual(await segments('a%2Fb/%25%32F/c'), { first: 'a/b', second: '%2F', third: 'c', key: 0, origin: shop.url });
	assert.deepEqual(await segments(''), { ...none, first: '', key: 0, origin: shop.url });
	assert.deepEqual(await segments('x//', { 'x-forwarded-proto': 'https' }), { first: 'x', second: '', third: '', key: 0, origin: `http://${host}` });
	assert.equal((await shop.ask('/services/%73egments/%61')).body.first, 'a');
	assert.equal((await shop.ask('/services/late')).body, 'late');
	assert.deepEqual((await shop.ask('/services/fails')), { ...(await shop.ask('/services/fails')), status: 429, body: { error: { code: 'too_many', message: 'not so fast', path: 'slots', hint: 'wait a little' } } });
	assert.equal((await shop.ask('/services/decides')).body.decisions.s.content.banner, 'one');
	assert.deepEqual((await shop.ask('/services/consents')).body, { consent: ['email', 'sale'] });
	assert.deepEqual((await shop.ask('/services/consents', { withdraw: ['email'] })).body, { consent: ['sale'] });
	assert.equal((await shop.ask('/services/consents', { withdraw: ['sale'] }, { headers: { 'x-forwarded-for': '192.0.2.1' } })).status, 403);
	assert.equal((await shop.ask('/services/all')).body, 'all');
	const seen = await metrics(shop);
	assert.equal(seen.floorwalker_services_ticks_total, 3);
	assert.equal(seen.floorwalker_services_held, 3);
	assert.equal(shop.reload().status, 0);
	await until(async () => (await metrics(shop)).floorwalker_services_ticks_total === 6, { what: 'counters go on over a reload' });
	await until(async () => (await metrics(shop)).floorwalker_services_held === 3, { what: 'gauges begin anew' });
	assert.equal(await shop.daemon.stop(), 0);
	const said = shop.log().filter((line) => line.plugin === 'services').map((line) => line.msg);
	for (const text of ['services has started', `services has ${quick.drain_ms} ms`, 'services has stopped']) assert.ok(said.includes(text), text);
});

test('a plugin asks other servers', async (t) => {
	const other = await startReceiver(t);
	other.answer = { body: 'fine' };
	const shop = await serve(t, { config: { workers: 1, ...using(t, 'services') } });
	const asks = async (url, headers) => {
		const { status, body } = await shop.ask('/services/asks', url, { headers });
		return status === 200 ? body : status;
	};
	assert.deepEqual(await asks(`${other.url}/a?b=c`), { status: 200, body: 'fine', retry: -1, problem: '' });
	other.answer = { status: 429, headers: { 'retry-after': '7' }, body: 'later' };
	assert.deepEqual(await asks(`${other.url}/b`, { 'x-body': 'a=b', 'x-header': 'X-One: 1' }), { status: 429, body: 'later', retry: 7000, problem: '' });
	assert.deepEqual(other.asked.map(({ method, url, body }) => [method, url, body]), [['GET', '/a?b=c', ''], ['POST', '/b', 'a=b']]);
	assert.equal(other.asked[1].headers.authorization, `Basic ${Buffer.from('ann:s3cret').toString('base64')}`);
	assert.equal(other.asked[1].headers['x-one'], '1');
	assert.match((await asks('http://127.0.0.1:1/')).problem, /port 1/);
	assert.equal((await asks(other.url, { 'x-header': 'nothing' })).problem, 'a header is none: it must be a name, a colon and a value on one line');
	assert.equal(await asks('file:///etc/hostname'), 400);
	// A certificate that nobody has signed is no server to tell anything.
	const { cert, key } = await makeCertificates(temporaryFolder(t));
	const secure = await startReceiver(t, { tls: { cert: readFileSync(cert), key: readFileSync(key) } });
	assert.match((await asks(secure.url)).problem, /certificate/);
	assert.equal(secure.asked.length, 0);
	const seen = await metrics(shop);
	assert.equal(seen['floorwalker_http_asked_total{outcome="answered"}'], 2);
	assert.equal(seen['floorwalker_http_asked_total{outcome="failed"}'], 3);
	// What is open when the worker ends has no answer, and the plugin hears so.
	other.answer = undefined;
	const open = asks(other.url).catch(() => 'cut off');
	await until(() => other.asked.length === 3, { what: 'the last one has come' });
	assert.equal(await shop.daemon.stop(), 0);
	await open;
	assert.ok(shop.log().some((line) => line.plugin === 'services' && line.msg === 'the worker ends'));
});

test('what a plugin signs is the same in every worker and after a restart, and is its own', async (t) => {
	const folder = plugins(t, 'services');
	const store = `lmdb:${temporaryFolder(t)}`, config = { store, plugin_path: folder, plugins: { services: {} } };
	const sign = async (shop, text) => (await until(async () => {
		const { status, text: mac } = await askFresh(`${shop.url}/services/signs`, text);
		return status === 200 && { mac };
	}, { what: 'the secret is known' })).mac;
	const shop = await serve(t, { config });
	const first = await sign(shop, 'a');
	assert.match(first, /^[0-9a-f]{64}$/);
	for (let i = 0; i < 8; i++) assert.equal(await sign(shop, 'a'), first);
	assert.notEqual(await sign(shop, 'b'), first);
	assert.equal(await shop.daemon.stop(), 0);
	assert.equal(await sign(await serve(t, { config }), 'a'), first);
	const another = await serve(t, { config: { ...config, store: `lmdb:${temporaryFolder(t)}` } });
	assert.notEqual(await sign(another, 'a'), first);
});

test('what a plugin is told of a key in a path, and of a proxy in front', async (t) => {
	const keys = { write: ['wk-0123456789abcdef'], secret: ['sk-0123456789abcdef'] };
	const shop = await serve(t, { config: { plugin_path: plugins(t, 'services'), plugins: { services: {} }, keys, proxies: ['127.0.0.1'] } });
	const told = async (key, headers = {}) => (await shop.ask(`/services/segments/${key}`, undefined, { headers })).body;
	const forwarded = { 'x-forwarded-for': '192.0.2.1' };
	assert.equal((await told('wk-0123456789abcdef', forwarded)).key, 2);
	assert.equal((await told('sk-0123456789abcdef', forwarded)).key, 0);
	assert.equal((await told('wk-0123456789abcdeF', forwarded)).key, 3);
	assert.equal((await told('wk-0123456789abcdeF')).key, 1);
	const origin = async (proto) => (await told('x', { 'x-forwarded-proto': proto })).origin.split('://')[0];
	for (const [proto, scheme] of [['https', 'https'], ['HTTPS, http', 'https'], ['http', 'http'], ['http, https', 'http'], ['javascript', 'http'], ['', 'http']])
		assert.equal(await origin(proto), scheme, proto);
});

test('a plugin refuses a key that it does not know, with the nearest right one', (t) => {
	const folder = writeShop(t, { config: { plugin_path: plugins(t, 'services'), plugins: { services: { greetin: 'x' } } } });
	const { stderr } = run(['serve', '--config', join(folder, 'floorwalker.lua')]);
	assert.match(stderr, /services\.so: refuses its configuration: there is no key "greetin"; did you mean "greeting"\?/);
});

test('log wants its file, and a place where it can write', (t) => {
	for (const [config, message] of [[{}, /file is not set/], [{ file: '/nowhere/at/all' }, /log\.so: does not start: \/nowhere\/at\/all cannot be written/]]) {
		const folder = writeShop(t, { config: { plugins: { log: config } } });
		assert.match(run(['serve', '--config', join(folder, 'floorwalker.lua')]).stderr, message);
	}
});

test('a worker that was replaced starts its plugins again', async (t) => {
	const shop = await serve(t, { config: { plugin_path: plugins(t, 'services'), workers: 1, plugins: { services: {} } } });
	const [worker] = processes(shop).workers;
	process.kill(worker, 'SIGKILL');
	await until(() => !alive(worker) && processes(shop).workers.length === 1);
	await until(async () => (await shop.ask('/services/state').catch(() => ({ body: {} }))).body.ticks === 3, { what: 'the new worker\'s timer ticks' });
});

test('every plugin of the tree compiles with nothing but the installed header, in C and the header in C++', (t) => {
	const { cflags, plugindir, folder } = installed(t);
	assert.match(plugindir, /floorwalker\/plugins$/);
	const out = temporaryFolder(t);
	const found = readdirSync(join(tree, 'plugins'), { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name);
	assert.ok(found.includes('web') && found.includes('log'));
	// What they share is a library, of which each takes its part.
	const shared = temporaryFolder(t), flags = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-fPIC', '-fvisibility=hidden', ...cflags];
	const make = (cwd, program, args) => {
		const { status, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
		assert.equal(status, 0, stderr);
	};
	cpSync(join(tree, 'plugins/common'), join(shared, 'common'), { recursive: true });
	make(join(shared, 'common'), 'cc', [...flags, '-c', ...readdirSync(join(shared, 'common')).filter((f) => f.endsWith('.c'))]);
	make(join(shared, 'common'), 'ar', ['rcs', 'libcommon.a', ...readdirSync(join(shared, 'common')).filter((f) => f.endsWith('.o'))]);
	for (const name of found) {
		if (name === 'common') continue;
		const copy = temporaryFolder(t);
		cpSync(join(tree, 'plugins', name), copy, { recursive: true, filter: (from) => !from.endsWith('/node_modules') });
		// What the build makes of the pages' script.
		if (name === 'web') cpSync(join(ownPlugins, 'page_files.c'), join(copy, 'page_files.c'));
		const sources = readdirSync(copy).filter((f) => f.endsWith('.c'));
		make(copy, 'cc', [...flags, '-I', shared, '-shared', ...sources, join(shared, 'common/libcommon.a'), '-o', join(out, `${name}.so`)]);
		const at = spawnSync('find', [folder, '-name', `${name}.so`], { encoding: 'utf8' }).stdout.trim();
		assert.ok(existsSync(at), `${name}.so is installed`);
	}
	writeFileSync(join(out, 'plus.cc'), `#include <floorwalker/plugin.h>
struct fw_plugin_instance { const fw_host *host; };
static void answer(fw_plugin_instance *self, fw_plugin_request *request) { self->host->reply(request, 200, "text/plain", "plus", 4); }
static int start(const fw_host *host, fw_plugin_text, fw_plugin_instance **ret, fw_plugin_problem *) { *ret = new fw_plugin_instance{host}; return 0; }
static void stop(fw_plugin_instance *self) { delete self; }
static const fw_plugin_route routes[] = { { "/plus", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, answer }, { nullptr, 0, 0, nullptr } };
extern "C" { FW_PLUGIN_EXPORT extern const fw_plugin floorwalker_plugin; }
const fw_plugin floorwalker_plugin = { FW_PLUGIN_MAGIC, FW_PLUGIN_ABI_MAJOR, FW_PLUGIN_ABI_MINOR, sizeof(fw_plugin), 0, "plus", "1", routes, nullptr, nullptr, start, nullptr, stop, nullptr, nullptr };
`);
	const cpp = spawnSync('g++', ['-std=c++17', '-Wall', '-Wextra', '-Werror', '-pedantic', '-fPIC', '-shared', ...cflags, 'plus.cc', '-o', 'plus.so'], { cwd: out, encoding: 'utf8' });
	assert.equal(cpp.status, 0, cpp.stderr);
	return t.test('and they serve', async (t2) => {
		const shop = await serve(t2, { config: { plugin_path: out, plugins: { web: {}, plus: {} } } });
		assert.equal(await shop.banner(), 'one');
		assert.equal((await shop.ask('/plus')).body, 'plus');
	});
});
