// A third party's channel, as plugins/README.md has it: built in a folder of its own with the installed header and pkg-config file, and
// believed by somebody else's library.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import test from 'node:test';
import { Webhook } from 'standardwebhooks';
import { program, run, temporaryFolder, tree, until } from './daemon.mjs';
import { blocksOf } from './guides.mjs';
import { startReceiver } from './receiver.mjs';
import { installed, serve, writeShop } from './server.mjs';

const host = resolve(dirname(program), '../tests/system/plugin_deliver');
const secret = `whsec_${Buffer.from('a key of thirty-two random bytes').toString('base64')}`;

// The guide's source, built: the path of webhook.so.
function build(t) {
	const { cflags } = installed(t), folder = temporaryFolder(t);
	const source = blocksOf(readFileSync(join(tree, 'plugins/README.md'), 'utf8')).find(({ language, text }) => language === 'c' && text.includes('.name = "webhook"'));
	writeFileSync(join(folder, 'webhook.c'), source.text);
	const libs = spawnSync('pkg-config', ['--libs', 'libcrypto'], { encoding: 'utf8' }).stdout.trim().split(' ');
	const { status, stderr } = spawnSync('cc', ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', ...cflags, 'webhook.c', ...libs, '-o', 'webhook.so'], { cwd: folder, encoding: 'utf8' });
	assert.equal(status, 0, stderr);
	return join(folder, 'webhook.so');
}

// Whoever is told: each signature is checked by somebody else's library.
async function receiver(t) {
	const to = await startReceiver(t, { check: (one) => { one.verified = new Webhook(secret).verify(one.body, one.headers); } });
	return Object.assign(to, { url: `${to.url}/hook`, got: to.asked });
}

// The plugin in a process that plays the host: `deliver` answers what became of a message.
function channel(t, plugin, config, within_ms = 60000) {
	const child = spawn(host, [plugin, JSON.stringify(config), `${within_ms}`], { stdio: ['pipe', 'pipe', 'pipe'] });
	let out = '', problem = '', told = 0;
	child.stdout.setEncoding('utf8').on('data', (d) => { out += d; });
	child.stderr.setEncoding('utf8').on('data', (d) => { problem += d; });
	const ended = new Promise((done) => child.on('close', done));
	t.after(async () => {
		child.stdin.end();
		await ended;
		assert.doesNotMatch(problem, /Sanitizer|runtime error:/);
	});
	return {
		deliver: async (id, attempt, json) => {
			child.stdin.write(`${id} ${attempt} u-7 ${JSON.stringify(json)}\n`);
			await until(() => out.split('\n').length > told + 1, { what: 'the plugin tells what became of it' });
			return JSON.parse(out.split('\n')[told++]);
		},
		problem: async () => { await ended; return problem.trim(); },
	};
}

test('each message is posted and signed, and the answer says what becomes of it', async (t) => {
	const plugin = build(t), to = await receiver(t);
	const webhook = channel(t, plugin, { url: to.url, secret });
	const message = { rule: 'cart-reminder', visitor: 'u-7', class: 'marketing', content: { text: 'Grüße. "Quoted", {"a":1}.' } };
	assert.deepEqual(await webhook.deliver('m1', 1, message), { id: 'm1', outcome: 'delivered', after_ms: -1, reason: '' });
	const [{ headers, verified }] = to.got;
	assert.deepEqual(verified, { type: 'message', data: message });
	assert.equal(headers['webhook-id'], 'm1');
	assert.equal(headers['content-type'], 'application/json');
	const cases = [[[204], 'delivered', -1, ''], [[500], 'retry', -1, 'the receiver answers 500'], [[302, { location: to.url }], 'retry', -1, 'the receiver answers 302'],
		[[429, { 'retry-after': '30' }], 'retry', 30000, 'the receiver answers 429'], [[410], 'failed', -1, 'the receiver is gone (410)']];
	for (const [i, [answer, outcome, after, reason]] of cases.entries()) {
		to.answer = { status: answer[0], headers: answer[1] };
		assert.deepEqual(await webhook.deliver('m2', 1 + i, message), { id: 'm2', outcome, after_ms: after, reason }, answer[0]);
	}
	// The same in every attempt, signed anew.
	assert.deepEqual(to.got.slice(1).map((one) => one.headers['webhook-id']), cases.map(() => 'm2'));
	assert.equal(to.got.length, 1 + cases.length);
	const nobody = channel(t, plugin, { url: 'http://127.0.0.1:1/', secret });
	const { outcome, reason } = await nobody.deliver('m3', 1, message);
	assert.equal(outcome, 'retry');
	assert.match(reason, /port 1/);
	// Whoever does not answer is given up before the host gives up the attempt.
	to.answer = undefined;
	const hurried = channel(t, plugin, { url: to.url, secret }, 600);
	const late = await hurried.deliver('m4', 1, message);
	assert.deepEqual([late.outcome, /^there was no answer within (2\d\d|300) ms$/.test(late.reason)], ['retry', true], late.reason);
	const over = channel(t, plugin, { url: to.url, secret }, 0);
	assert.match((await over.deliver('m5', 1, message)).reason, /no time or no memory is left/);
	assert.ok(to.got.every((one) => one.headers['webhook-id'] !== 'm5'));
});

test('the daemon takes it, and refuses what cannot work', async (t) => {
	const plugin_path = dirname(build(t));
	const using = (webhook) => ({ plugin_path, plugins: { webhook } });
	const wrong = [[{ secret }, /refuses its configuration: url is none; write url = "https:/], [{ url: 'ftp://x/', secret }, /url is none/], [{ url: 'https://x/' }, /secret is none; it is "whsec_"/],
		[{ url: 'https://x/', secret: 'whsec_c2hvcnQ=' }, /secret is none/], [{ url: 'https://x/', secret: `whsec_${'A'.repeat(92)}` }, /secret is none/],
		[{ url: 'https://x/', secret, sekret: 'x' }, /there is no key "sekret"; did you mean "secret"\?/]];
	for (const [config, message] of wrong) {
		const folder = writeShop(t, { config: using(config) });
		const { status, stderr } = run(['serve', '--config', join(folder, 'floorwalker.lua')]);
		assert.equal(status, 1);
		assert.match(stderr, message);
	}
	const shop = await serve(t, { config: using({ url: 'https://crm.shop.example/hook', secret }) });
	assert.ok(shop.status().loaded.plugins.some(({ name, abi }) => name === 'webhook' && abi === '1.5'));
});
