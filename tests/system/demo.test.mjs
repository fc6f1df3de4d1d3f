// `scripts/demo --once` asks the example store for three very different visitors, and each is seen as what it is.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { environment, tree } from './daemon.mjs';

test('three visitors get their answers', () => {
	const { status, stdout, stderr } = spawnSync('scripts/demo', ['--once'],
		{ cwd: tree, env: environment(), encoding: 'utf8', timeout: 300000, killSignal: 'SIGKILL' });
	assert.equal(status, 0, stdout + stderr);
	const answers = stdout.split(/^(?=A )/m).map((text) => text.trim()).filter(Boolean);
	assert.equal(answers.length, 3, stdout);
	const [phone, desktop, crawler] = answers;
	for (const fact of ['country CA', 'device mobile', 'source paid_social']) assert.ok(phone.includes(fact), phone);
	for (const fact of ['country DE', 'device desktop', 'source email']) assert.ok(desktop.includes(fact), desktop);
	assert.ok(crawler.includes('device bot'), crawler);
	assert.match(phone, /won: /);
	const shown = (text) => text.split('\n').slice(2).join('\n');
	assert.notEqual(shown(phone), shown(desktop));
});

test('a wrong option is refused', () => {
	const { status, stderr } = spawnSync('scripts/demo', ['--twice'], { cwd: tree, env: environment(), encoding: 'utf8' });
	assert.equal(status, 2);
	assert.match(stderr, /unknown option --twice/);
});
