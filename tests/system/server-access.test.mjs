// Who may ask what: keys, loopback, forwarded requests, origins; and how answers and refusals look.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { cpSync, renameSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { run, temporaryFolder, tree } from './daemon.mjs';
import { askFresh, metrics, processes, question, rules, serve, until } from './server.mjs';

const secret = 'sk-0123456789abcdef';
const write = 'wk-0123456789abcdef';
const keys = { write: [write], secret: [secret], identity: 'identity-key' };
const publicRules = rules('one', 'slot "inner" { channel = "web", public = false, default = { a = 1 } }\n');
const bearer = (key) => ({ headers: { authorization: `Bearer ${key}` } });

test('a key comes in four ways', async (t) => {
	const shop = await serve(t, { config: { keys } });
	const basic = (user) => ({ headers: { authorization: `Basic ${Buffer.from(`${user}:`).toString('base64')}` } });
	for (const key of [secret, write]) {
		for (const more of [bearer(key), basic(key), { headers: { 'x-api-key': key } }]) assert.equal((await shop.decide(question, more)).status, 200);
		assert.equal((await shop.decide({ ...question, writeKey: key })).status, 200);
		// A body that is wrong further on is told so, and not that it came without a key.
		assert.equal((await shop.decide(`{"writeKey":"${key}","slots":`)).body.error.code, 'bad_json');
	}
	for (const more of [bearer(`${write}x`), bearer(write.slice(1)), basic(''), { headers: { 'x-api-key': '' } }, bearer('wk-0123456789abcdeF')]) {
		const { status, body, headers } = await shop.decide(question, more);
		assert.equal(status, 401, JSON.stringify(more));
		assert.equal(body.error.code, 'unauthorized');
		assert.equal(headers.get('www-authenticate'), 'Bearer');
	}
	assert.equal((await shop.decide()).status, 401);
	assert.equal((await metrics(shop)).floorwalker_http_requests_unauthorized_total, 6);
});

test('a write key opens decide for public slots, and nothing else', async (t) => {
	const shop = await serve(t, { config: { keys }, files: { 'shop/home.lua': publicRules } });
	const asked = { slots: ['s', 'inner'], context: question.context };
	const open = (await shop.decide(asked, bearer(write))).body.decisions;
	assert.equal(open.s.content.banner, 'one');
	assert.equal(open.inner.error.code, 'unknown_slot');
	assert.deepEqual((await shop.decide(asked, bearer(secret))).body.decisions.inner.content, { a: 1 });
	assert.deepEqual(Object.keys((await shop.decide({}, bearer(write))).body.decisions), ['s']);
	assert.deepEqual(Object.keys((await shop.decide({}, bearer(secret))).body.decisions).sort(), ['inner', 's']);
	const explain = await shop.ask('/v1/explain', question, bearer(write));
	assert.equal(explain.status, 403);
	assert.equal(explain.body.error.code, 'forbidden');
	assert.equal((await shop.ask('/v1/explain', question, bearer(secret))).status, 200);
});

test('what loopback may ask without a key', async (t) => {
	const shop = await serve(t, { config: { keys } });
	for (const path of ['/livez', '/readyz', '/readyz?verbose', '/metrics', '/v1/rules']) assert.equal((await shop.ask(path)).status, 200, path);
	const forwarded = { headers: { 'x-forwarded-for': '192.0.2.1' } };
	for (const path of ['/livez', '/readyz']) assert.equal((await shop.ask(path, undefined, forwarded)).status, 200, path);
	for (const path of ['/readyz?verbose', '/metrics', '/v1/rules']) assert.equal((await shop.ask(path, undefined, forwarded)).status, 401, path);
	assert.equal((await shop.ask('/v1/explain', question)).status, 401);
});

test('without keys loopback may do everything, but what was forwarded is refused', async (t) => {
	const shop = await serve(t);
	assert.equal((await shop.ask('/v1/explain', question)).status, 200);
	for (const headers of [{ forwarded: 'for=192.0.2.1' }, { 'x-forwarded-for': '127.0.0.1' }, { 'X-Forwarded-For': '' }]) {
		const { status, body } = await shop.decide(question, { headers });
		assert.equal(status, 403, JSON.stringify(headers));
		assert.equal(body.error.code, 'forbidden');
		assert.match(body.error.hint, /keys/);
	}
	const raw = spawnSync('sh', ['-c', `printf 'PROXY TCP4 192.0.2.1 127.0.0.1 1 2\\r\\nGET /livez HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' | timeout 5 nc -q1 127.0.0.1 ${new URL(shop.url).port} || true`], { encoding: 'utf8' });
	assert.doesNotMatch(raw.stdout, /200 OK/);
});

test('a write key speaks for an anonymousId that is a secret, and a userId only when it is signed', async (t) => {
	const text = `slot "s" { channel = "web", default = { who = "nobody" } }
rule "in" { slot = "s", when = { logged_in = true }, show = { who = "known" } }
rule "half" { slot = "s", priority = -1, rollout = 100, show = { who = "all" } }\n`;
	const shop = await serve(t, { config: { keys }, files: { 'shop/home.lua': text } });
	const who = async (body, key) => (await shop.decide({ slots: ['s'], ...body }, bearer(key))).body.decisions?.s.content.who;
	const userHash = createHmac('sha256', 'identity-key').update('u-7').digest('hex');
	assert.equal(await who({ userId: 'u-7' }, secret), 'known');
	assert.equal(await who({ userId: 'u-7' }, write), 'all');
	assert.equal(await who({ userId: 'u-7', userHash }, write), 'known');
	assert.equal(await who({ userId: 'u-7', context: { traits: { userHash } } }, write), 'known');
	assert.equal(await who({ userId: 'u-7', userHash: userHash.toUpperCase() }, write), 'all');
	assert.equal(await who({ userId: 'u-8', userHash }, write), 'all');
	const short = await shop.decide({ anonymousId: 'short', slots: ['s'] }, bearer(write));
	assert.equal(short.status, 400);
	assert.equal(short.body.error.path, 'anonymousId');
	assert.equal((await shop.decide({ anonymousId: 'short', slots: ['s'] }, bearer(secret))).status, 200);
});

const databaseOf = (name) => join(tree, `tests/data/maxmind-db/${name}.mmdb`);

test('context.ip counts with a secret key alone; else the connection\'s address, or what trusted proxies say', async (t) => {
	const text = `slot "s" { channel = "web", default = { where = "unknown" } }
rule "gb" { slot = "s", when = { country = "GB" }, show = { where = "GB" } }
rule "se" { slot = "s", when = { country = "SE" }, show = { where = "SE" } }\n`;
	const shop = await serve(t, { config: { keys, geo: { database: databaseOf('GeoIP2-City-Test') }, proxies: ['127.0.0.0/8'] }, files: { 'shop/home.lua': text } });
	const where = async (body, key, headers = {}) => (await shop.decide({ slots: ['s'], ...body }, { headers: { ...bearer(key).headers, ...headers } })).body.decisions.s.content.where;
	assert.equal(await where({ context: { ip: '81.2.69.142' } }, secret), 'GB');
	assert.equal(await where({ context: { ip: '81.2.69.142' } }, write), 'unknown');
	assert.equal(await where({}, write, { 'x-forwarded-for': '89.160.20.112' }), 'SE');
	assert.equal(await where({}, write, { 'x-forwarded-for': '81.2.69.142, 89.160.20.112' }), 'SE');
	assert.equal(await where({}, secret, { 'x-forwarded-for': '89.160.20.112' }), 'unknown');
});

// As whoever keeps it up to date does it: another file takes its name. Seen failing where a load took the file that the first one had found.
test('another database of addresses counts from the next reload on, and not before', async (t) => {
	const text = `slot "s" { channel = "web", default = { where = "unknown" } }
rule "gb" { slot = "s", when = { country = "GB" }, show = { where = "GB" } }
rule "ca" { slot = "s", when = { country = "CA" }, show = { where = "CA" } }\n`;
	const folder = temporaryFolder(t), database = join(folder, 'country.mmdb');
	cpSync(databaseOf('GeoIP2-City-Test'), database);
	const shop = await serve(t, { config: { geo: { database } }, files: { 'shop/home.lua': text } });
	const where = async (ip) => JSON.parse((await askFresh(`${shop.url}/v1/decide`, { slots: ['s'], context: { ip } })).text).decisions.s.content.where;
	// Whichever worker is asked.
	const everywhere = async () => {
		const told = new Set();
		for (let i = 0; i < 10; i++) told.add(`${await where('81.2.69.142')} ${await where('192.0.2.1')}`);
		return [...told];
	};
	assert.deepEqual(await everywhere(), ['GB unknown']);
	cpSync(databaseOf('flat'), `${database}.new`);
	renameSync(`${database}.new`, database);
	assert.deepEqual(await everywhere(), ['GB unknown']);
	const [one] = processes(shop).workers;
	process.kill(one, 'SIGKILL');
	await until(() => processes(shop).workers.length === 2 && !processes(shop).workers.includes(one), { what: 'the worker is replaced' });
	assert.deepEqual(await everywhere(), ['GB unknown'], 'a worker that is new is of the same load');
	assert.equal(shop.reload().status, 0);
	assert.deepEqual(await everywhere(), ['unknown CA']);
	// What is no database is refused, and what was read serves on.
	writeFileSync(`${database}.new`, 'no database');
	renameSync(`${database}.new`, database);
	assert.equal(shop.reload().status, 1);
	assert.deepEqual(await everywhere(), ['unknown CA']);
});

// A path with a method for pages and one that is not was not for pages at all: the preflight was judged by the first of them.
test('a preflight is about the method that is to follow', async (t) => {
	const shop = await serve(t, { config: { keys, cors: ['https://shop.example'] } });
	const allowed = async (path, method) => (await shop.ask(path, undefined, { method: 'OPTIONS', headers: { origin: 'https://shop.example', 'access-control-request-method': method } })).headers.get('access-control-allow-origin');
	assert.equal(await allowed('/v1/visitors/anonymous:a/consent', 'POST'), 'https://shop.example');
	for (const method of ['GET', 'HEAD', 'DELETE', 'PUT', 'NONE']) assert.equal(await allowed('/v1/visitors/u-7', method), null, method);
	const read = await shop.ask('/v1/visitors/u-7', undefined, { headers: { ...bearer(secret).headers, origin: 'https://shop.example' } });
	assert.equal(read.headers.get('access-control-allow-origin'), null, 'what a secret key opens is not for pages');
});

test('browsers of configured origins may ask, preflight included', async (t) => {
	const shop = await serve(t, { config: { keys, cors: ['https://shop.example'] } });
	const preflight = (path, origin) => shop.ask(path, undefined, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' } });
	const good = await preflight('/v1/decide', 'https://shop.example');
	assert.equal(good.status, 204);
	assert.equal(good.headers.get('access-control-allow-origin'), 'https://shop.example');
	assert.match(good.headers.get('access-control-allow-methods'), /POST/);
	for (const name of ['Authorization', 'Content-Type', 'If-None-Match', 'X-Retry-Count', 'X-API-Key', 'traceparent'])
		assert.ok(good.headers.get('access-control-allow-headers').split(', ').includes(name), name);
	assert.equal(good.headers.get('access-control-max-age'), '86400');
	assert.equal(good.headers.get('vary'), 'Origin');
	assert.equal((await preflight('/v1/decide', 'https://evil.example')).headers.get('access-control-allow-origin'), null);
	assert.equal((await preflight('/v1/explain', 'https://shop.example')).headers.get('access-control-allow-origin'), null);
	const asked = await shop.decide(question, { headers: { ...bearer(write).headers, origin: 'https://shop.example' } });
	assert.equal(asked.status, 200);
	assert.equal(asked.headers.get('access-control-allow-origin'), 'https://shop.example');
	assert.match(asked.headers.get('access-control-expose-headers'), /ETag, Retry-After/);
	const refused = await shop.decide(question, { headers: { origin: 'https://shop.example' } });
	assert.equal(refused.status, 401);
	assert.equal(refused.headers.get('access-control-allow-origin'), 'https://shop.example');
});

test('answers carry Server-Timing and the traceparent', async (t) => {
	const shop = await serve(t);
	const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
	const { headers } = await shop.decide(question, { headers: { traceparent } });
	assert.match(headers.get('server-timing'), /^facts;dur=\d+\.\d+, decide;dur=\d+\.\d+$/);
	assert.equal(headers.get('traceparent'), traceparent);
});

test('a request that is wrong is told what is wrong', async (t) => {
	const shop = await serve(t);
	for (const [body, status, code, path] of [
		['{', 400, 'bad_json'], ['', 400, 'bad_json'], ['[]', 400, 'bad_request'], ['"x"', 400, 'bad_request'], ['{"slots":"s"}', 400, 'bad_request', 'slots'],
		['{"slots":[1]}', 400, 'bad_request', 'slots[0]'], ['{"userId":7}', 400, 'bad_request', 'userId'], ['{"context":[]}', 400, 'bad_request', 'context'],
		[JSON.stringify({ slots: Array.from({ length: 201 }, (_, i) => `s${i}`) }), 400, 'bad_request', 'slots'], ['\f{}', 400, 'bad_json'],
	]) {
		const answer = await shop.decide(body);
		assert.equal(answer.status, status, body);
		assert.equal(answer.body.error.code, code, body);
		assert.equal(answer.body.error.path, path, body);
	}
	const unknown = (await shop.decide({ slots: ['s', 'ss', 's', 'ss'] })).body.decisions;
	assert.deepEqual(Object.keys(unknown), ['s', 'ss']);
	assert.equal(unknown.ss.reason, 'none');
	assert.match(unknown.ss.error.hint, /did you mean "s"\?/);
	assert.equal((await shop.ask('/v1/decide', undefined, { method: 'GET' })).status, 405);
	assert.equal((await shop.ask('/nowhere')).status, 404);
});

test('the command line prints the same object', async (t) => {
	const shop = await serve(t);
	const { body } = await shop.decide();
	const { stdout, status } = run(['decide', '--rules', join(shop.folder, 'shop')], { input: '{"page_type":"home"}\n', cwd: shop.folder });
	assert.equal(status, 0);
	const line = JSON.parse(stdout);
	assert.deepEqual(line.decisions, body.decisions);
	assert.deepEqual(Object.keys(line), Object.keys(body));
});

test('metrics are quiet, count over all workers, and survive them', async (t) => {
	const shop = await serve(t);
	for (let i = 0; i < 30; i++) await askFresh(`${shop.url}/v1/decide`, question);
	const before = await metrics(shop);
	assert.equal(before.floorwalker_decisions_total, 30);
	assert.equal(before['floorwalker_slots_decided_total{reason="rule"}'], 30);
	assert.equal(before.floorwalker_decision_duration_seconds_count, 30);
	assert.equal(before['floorwalker_decision_duration_seconds_bucket{le="+Inf"}'], 30);
	assert.equal(before.floorwalker_workers, 2);
	assert.ok(before.process_resident_memory_bytes > 1e6 && before.process_open_fds > 10 && before.process_cpu_seconds_total > 0);
	for (const { pid } of shop.status().workers) process.kill(pid, 'SIGKILL');
	await until(() => shop.status().workers.length === 2 && shop.status().workers.every((w) => w.requests === 0));
	assert.equal(shop.reload().status, 0);
	await askFresh(`${shop.url}/v1/decide`, question);
	const after = await metrics(shop);
	assert.equal(after.floorwalker_decisions_total, 31);
	assert.ok(after.floorwalker_http_requests_total > before.floorwalker_http_requests_total);
	assert.equal(after.floorwalker_generation, 2);
	assert.equal(after.floorwalker_workers_lost_total, 2);
	const lint = spawnSync('promtool', ['check', 'metrics'], { input: (await askFresh(`${shop.url}/metrics`)).text, encoding: 'utf8' });
	assert.equal(lint.status, 0, lint.stdout + lint.stderr);
	assert.equal(lint.stdout + lint.stderr, '');
});

test('rules that fail are named by log, status, metric and /v1/rules', async (t) => {
	const text = `slot "s" { channel = "web", default = { a = 1 } }
rule "bad" { slot = "s", when = function(v) error("no") end, show = { b = 1 } }
rule "long" { slot = "s", priority = -1, when = function(v) while true do end end, show = { b = 1 } }\n`;
	const shop = await serve(t, { config: { workers: 1 }, files: { 'shop/home.lua': text } });
	for (let i = 0; i < 25; i++) {
		const { body } = await shop.decide({ anonymousId: `visitor-${i}`, slots: ['s'] });
		assert.deepEqual(body.decisions.s.content, { a: 1 });
	}
	await until(() => shop.log().some((line) => line.msg === "a rule's function failed" && line.rule === 'bad' && line.file === 'home.lua' && line.line === '2'));
	const status = shop.status();
	assert.ok(status.failing.includes('bad (home.lua:2)'), JSON.stringify(status.failing));
	assert.ok(status.setAside.includes('long (home.lua:3)'), JSON.stringify(status.setAside));
	assert.match(shop.command('status').stdout, /set aside {3}long \(home\.lua:3\)/);
	const seen = await metrics(shop);
	assert.equal(seen['floorwalker_rule_function_failures_total{rule="bad"}'], 25);
	assert.equal(seen.floorwalker_rules_set_aside_total, 1);
	assert.equal(seen.floorwalker_rule_budget_exceeded_total, 20);
	const told = (await shop.ask('/v1/rules')).body.rules;
	assert.equal(told.find((r) => r.rule === 'bad').failed, 25);
	assert.ok(told.find((r) => r.rule === 'long').setAsideUntil);
});

// Seen failing where each worker counted in memory of its own.
test('visitors for whom a rule runs over its budget are counted over the node: fewer than twenty of each worker set it aside', async (t) => {
	const text = `slot "s" { channel = "web", default = { a = 1 } }
rule "long" { slot = "s", when = function(v) if v.page_type == "long" then while true do end end return false end, show = { b = 1 } }\n`;
	const shop = await serve(t, { config: { workers: 2 }, files: { 'shop/home.lua': text } });
	const requests = () => new Map(shop.status().workers.map(({ pid, requests: n }) => [pid, n]));
	// A connection to each worker, that stays.
	const lines = new Map();
	t.after(() => lines.forEach((agent) => agent.destroy()));
	const post = (agent, body) => new Promise((done, fail) => {
		request(`${shop.url}/v1/decide`, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (answer) => answer.resume().on('end', done).on('error', fail)).on('error', fail).end(JSON.stringify(body));
	});
	await until(async () => {
		const agent = new Agent({ keepAlive: true, maxSockets: 1 }), before = requests();
		await post(agent, { slots: ['s'] });
		const [pid] = [...requests()].find(([worker, n]) => n > before.get(worker));
		if (lines.has(pid)) agent.destroy();
		else lines.set(pid, agent);
		return lines.size === 2;
	}, { what: 'there is a connection to each worker' });
	let visitors = 0;
	const overspend = async (agent, n) => { for (let i = 0; i < n; i++) await post(agent, { anonymousId: `visitor-${++visitors}`, slots: ['s'], context: { page: { type: 'long' } } }); };
	const spent = async () => (await metrics(shop)).floorwalker_rule_budget_exceeded_total;
	const isSetAside = async () => Boolean(JSON.parse((await askFresh(`${shop.url}/v1/rules`)).text).rules[0].setAsideUntil);
	const [one, other] = lines.values();
	await overspend(one, 12);
	await overspend(other, 7);
	assert.deepEqual([await spent(), await isSetAside()], [19, false]);
	await overspend(other, 1);
	assert.deepEqual([await spent(), await isSetAside()], [20, true]);
	// Neither tries it any more.
	await overspend(one, 5);
	await overspend(other, 5);
	assert.equal(await spent(), 20);
	assert.equal((await metrics(shop)).floorwalker_rules_set_aside_total, 1);
});

test('/v1/rules counts over all workers', async (t) => {
	const shop = await serve(t);
	for (let i = 0; i < 300; i++) await askFresh(`${shop.url}/v1/decide`, question);
	await until(async () => (await shop.ask('/v1/rules')).body.sampled > 0 || (await askFresh(`${shop.url}/v1/decide`, question), false), { what: 'a decision is sampled' });
	const { body } = await shop.ask('/v1/rules');
	const rule = body.rules.find((r) => r.rule === 'r');
	assert.ok(rule.won >= 300 && rule.matched >= 1, JSON.stringify(rule));
	assert.equal(body.ruleSet, shop.status().loaded.ruleSet);
	assert.ok(Date.parse(rule.lastWon) > Date.parse(body.since));
});

test('explain says what became of every candidate', async (t) => {
	const shop = await serve(t);
	const { body } = await shop.ask('/v1/explain', { slots: ['s'], context: { page: { type: 'cart' } } });
	assert.equal(body.facts.page_type, 'cart');
	const [candidate] = body.slots.s.candidates;
	assert.equal(candidate.rule, 'r');
	assert.equal(candidate.reason, 'not_matched');
	assert.equal(candidate.fact, 'page_type');
	assert.ok(!('change' in candidate));
	const [wants] = (await shop.ask('/v1/explain', { slots: ['s'], context: { page: { type: 'cart' } }, changes: true })).body.slots.s.candidates;
	assert.deepEqual(wants.change, [{ what: 'fact', fact: 'page_type', text: 'page_type "home"' }]);
	const unknown = await shop.ask('/v1/explain', { slots: ['x'] });
	assert.equal(unknown.status, 400);
	assert.equal(unknown.body.error.code, 'unknown_slot');
});

test('connections spread over the workers', async (t) => {
	const shop = await serve(t);
	const open = [];
	t.after(() => open.forEach((socket) => socket.destroy()));
	const { hostname, port } = new URL(shop.url);
	const one = () => new Promise((done, fail) => {
		const socket = connect(port, hostname, () => socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'));
		socket.once('data', done).on('error', fail);
		open.push(socket);
	});
	for (let i = 0; i < 60; i++) await one();
	await until(() => shop.status().workers.every((w) => w.connections >= 20), { what: 'each worker has its share' });
});
