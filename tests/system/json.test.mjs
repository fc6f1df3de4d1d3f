// Whatever is sent as JSON, the answer is an answer: texts that are no JSON are refused as such, texts that are JSON never.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startDaemon, temporaryFolder, tree } from './daemon.mjs';

const suite = join(tree, 'tests/data/json-test-suite/test_parsing');

async function post(url, bytes) {
	const answer = await fetch(`${url}/v1/decide`, { method: 'POST', body: bytes, headers: { 'content-type': 'application/json' } });
	return { status: answer.status, body: JSON.parse(await answer.text()) };
}

test('JSONTestSuite: what must be refused is 400 bad_json, what must be read is never', async (t) => {
	const folder = temporaryFolder(t, {
		'floorwalker.lua': 'listen = { "127.0.0.1:0" } run = "run" rules = "rules" compliance = false plugins = { web = {} } workers = 1\n',
		'rules/a.lua': 'slot "home" { channel = "web", default = { a = 1 } }\n',
	});
	const daemon = await startDaemon(t, join(folder, 'floorwalker.lua'));
	const wrong = [];
	let refused = 0, accepted = 0;
	for (const name of readdirSync(suite)) {
		const { status, body } = await post(daemon.url, readFileSync(join(suite, name)));
		const badJson = status === 400 && body.error?.code === 'bad_json';
		if (name.startsWith('n_') && !badJson) wrong.push(`${name}: ${status} ${JSON.stringify(body)}`);
		if (name.startsWith('y_') && badJson) wrong.push(`${name}: ${JSON.stringify(body)}`);
		if (status >= 500) wrong.push(`${name}: ${status}`);
		refused += name.startsWith('n_');
		accepted += name.startsWith('y_');
	}
	assert.deepEqual(wrong, []);
	assert.deepEqual([refused, accepted], [188, 95]);
	const after = await post(daemon.url, '{}');
	assert.deepEqual(after.body.decisions.home.content, { a: 1 });
});
