// What tests of messages share: a channel whose addresses say what comes of a delivery (plugins/email.c), and a shop that sends.

import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, run, temporaryFolder, wholeLines } from './daemon.mjs';
import { bearer, event, secret, until } from './people.mjs';
import { ownPlugins, pluginFolder, runAside } from './server.mjs';

// A folder of plugins: the web plugin is the product's own, the channels ("email", "sms") the test's.
export function fakeChannel(t, ...names) {
	const folder = temporaryFolder(t);
	cpSync(join(ownPlugins, 'web.so'), join(folder, 'web.so'));
	for (const name of ['email', ...names]) cpSync(join(pluginFolder, `${name}.so`), join(folder, `${name}.so`));
	return folder;
}

// What such a channel was handed, as its file has it: [{ id, to, attempt, at, message }].
export function handedTo(file) {
	return existsSync(file) ? wholeLines(readFileSync(file, 'utf8')).map((line) => JSON.parse(line)) : [];
}

const lines = (text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));

// The messages that wait, are being sent or are dead: { id, state, rule, channel, visitor, … }; `listAside` while this process goes on.
export const listOf = (config) => (...args) => lines(run(['messages', 'list', '--json', ...args, '--config', config]).stdout);
export const listAsideOf = (config) => async (...args) => lines((await runAside(['messages', 'list', '--json', ...args, '--config', config])).stdout);

// A store over a network may be out of reach for a moment; what is sent again counts once.
const stored = (send) => until(async () => { const told = await send(); return told.status !== 503 && told; }, { what: 'it is stored' });

// Adds to a shop of people.mjs what sets off messages and asks after them.
export function withMessages(shop) {
	return Object.assign(shop, {
		list: listOf(shop.config),
		listAside: listAsideOf(shop.config),
		messages: (...args) => run(['messages', ...args, '--config', shop.config]),
		grant: async (user, channels) => assert.equal((await stored(() => ask(`${shop.url}/v1/visitors/${user}/consent`, { grant: channels }, bearer(secret)))).status, 200),
		// Somebody with an address, who wants what comes there.
		meet: async (user, address, { grant = [address.startsWith('+') ? 'sms' : 'email'], traits = {} } = {}) => {
			const reached = address.startsWith('+') ? { phone: address } : { email: address };
			assert.equal((await stored(() => shop.send('identify', { userId: user, traits: { ...reached, ...traits }, messageId: `meet-${user}` }))).status, 200);
			if (grant.length) await shop.grant(user, grant);
		},
		happen: async (user, name, properties = {}, more = {}) => {
			const body = event({ anonymousId: undefined, userId: user, event: name, properties, ...more }), told = await stored(() => shop.send('track', body));
			assert.deepEqual([told.status, told.body.rejected], [200, []], JSON.stringify(told.body));
		},
		// What became of the messages to somebody, newest first.
		became: async (user) => (await shop.visitor(user)).messages.map((m) => m.what),
		heard: (user, name) => until(async () => (await shop.timeline(user)).some((e) => e.name === name), { what: `${name} is in the timeline` }),
	});
}
