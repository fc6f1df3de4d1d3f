// `scripts/demo --once` asks the example store for three very different visitors, and each is seen as what it is; and what one
// person does changes what that person is shown.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { environment, temporaryFolder, tree, until } from './daemon.mjs';

test('three visitors get their answers, and one does something', () => {
	const { status, stdout, stderr } = spawnSync('scripts/demo', ['--once'],
		{ cwd: tree, env: environment(), encoding: 'utf8', timeout: 300000, killSignal: 'SIGKILL' });
	assert.equal(status, 0, stdout + stderr);
	const answers = stdout.split(/^(?=A )/m).map((text) => text.trim()).filter(Boolean);
	assert.equal(answers.length, 4, stdout);
	const [phone, desktop, crawler, person] = answers;
	for (const fact of ['country CA', 'device mobile', 'source paid_social']) assert.ok(phone.includes(fact), phone);
	for (const fact of ['country DE', 'device desktop', 'source email']) assert.ok(desktop.includes(fact), desktop);
	assert.ok(crawler.includes('device bot'), crawler);
	assert.match(phone, /won: /);
	const shown = (text) => text.split('\n').slice(2).join('\n');
	assert.notEqual(shown(phone), shown(desktop));
	// Before and after: what was put into the cart and what was looked at, each with the reason that it was not so before.
	assert.match(person, /did +Product Added/);
	assert.match(person, /is known as +visits 0, .* → visits 1, in the cart 4 of 79.6$/m);
	for (const [slot, before, after, why] of [
		['cart.note', 'nothing', '"missing":"20.40"', 'won: almost-free-shipping (before: not_matched, cart.total was 0, wanted between(60, 99.99))'],
		['home.row', '"list":"bestsellers"', '"list":"boots"', 'won: row-of-the-favourite (before: not_matched)'],
		['product.extra', 'nothing', '"widget":"compare"', 'won: comparison-table (before: not_matched, viewed { category = "boots", within = "3d" } was 0, wanted at_least(4))'],
	]) {
		const [was, is, said] = person.slice(person.indexOf(`  ${slot} `)).split('\n');
		assert.ok(was.includes(before) && is.includes('→') && is.includes(after), person);
		assert.equal(said.trim(), why);
	}
});

test('what it prints to be tried can be tried, and a second run goes on from the first', async (t) => {
	const state = temporaryFolder(t);
	for (let run = 1; run <= 2; run++) {
		const demo = spawn('scripts/demo', [], { cwd: tree, env: environment({ FW_LISTEN: '127.0.0.1:0', FW_STATE: state }), stdio: ['ignore', 'pipe', 'pipe'] });
		t.after(() => demo.kill('SIGTERM'));
		let said = '', over;
		for (const stream of [demo.stdout, demo.stderr]) stream.setEncoding('utf8').on('data', (text) => { said += text; });
		demo.on('exit', (status, signal) => { over = status ?? signal; });
		await until(() => over !== undefined || said.includes('Ctrl-C ends it'), { what: 'the demo serves', seconds: 300 });
		assert.equal(over, undefined, said);
		assert.match(said, /^A person, before and after/m);
		const commands = said.split('\n').filter((line) => line.startsWith('curl '));
		assert.equal(commands.length, 5, said);
		assert.ok(commands.some((command) => command.includes('/v1/track')), said);
		for (const command of commands) {
			const { status, stdout } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
			assert.equal(status, 0, command);
			assert.equal(JSON.parse(stdout).error, undefined, stdout);
		}
		const [page, view] = [...said.matchAll(/: (http:\S+\/(?:privacy|agent))$/gm)].map(([, url]) => url);
		assert.match(await (await fetch(page)).text(), /<title>Your privacy<\/title>/);
		assert.match(await (await fetch(view)).text(), /<title>Customer<\/title>/);
		assert.equal((await fetch(new URL('/v1/visitors/u-nobody', view))).status, 404, 'the engine is behind it');
		demo.kill('SIGINT');
		await until(() => over !== undefined, { what: 'the demo ends' });
		assert.equal(over, 130, said);
	}
	assert.ok(existsSync(join(state, 'run/data')), 'the people are kept');
});

test('a wrong option is refused', () => {
	const { status, stderr } = spawnSync('scripts/demo', ['--twice'], { cwd: tree, env: environment(), encoding: 'utf8' });
	assert.equal(status, 2);
	assert.match(stderr, /unknown option --twice/);
});
