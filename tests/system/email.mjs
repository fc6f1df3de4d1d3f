// The plugin email alone, for system tests: email_driver plays its host.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { environment, program, until } from './daemon.mjs';

const build = join(program, '../..');
export const OUTCOMES = ['delivered', 'pending', 'retry', 'failed', 'accepted'];
export const base = { from: 'Shop <hello@shop.example>', address: '1 Road, 10115 Town' };

// Starts it with the plugin configured so; what it lacks of `base` is added. Answers { said, configure(config), deliver(message), result(id),
// events(id), ask(method, path, more), tell(line), stop() }. A message is { id, to, class, track, content, within_ms }, the last being what
// the host gives it. result() waits for what became of it: { outcome, reason }; ask() answers { status, headers, body }.
export async function startEmail(t, config) {
	const child = spawn(join(build, 'tests/system/email_driver'), [join(build, 'plugins/email.so')], { env: environment(), stdio: ['pipe', 'pipe', 'pipe'] });
	const said = [];
	let errors = '', over;
	child.stderr.setEncoding('utf8').on('data', (text) => { errors += text; });
	createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)));
	const ended = new Promise((done) => child.on('exit', (status, signal) => done(over = signal ?? status)));
	const tell = (line) => child.stdin.write(`${JSON.stringify(line)}\n`);
	const waitFor = (what, fits, from = 0) => until(() => {
		if (over !== undefined) throw new Error(`the driver ended: ${over}\n${errors}`);
		return said.slice(from).find((line) => line.what === what && fits(line));
	}, { what: `the driver says ${what}` });
	const configured = async (word, what, more) => {
		const from = said.length;
		tell({ do: word, config: { ...base, ...more } });
		const { number, message, hint } = await waitFor(what, () => true, from);
		return { ok: number === 0, message, hint };
	};
	const email = {
		said, tell,
		configure: (more) => configured('configure', 'configured', more),
		deliver: async ({ id, to = 'ada@mail.example', content, rule = 'cart', within_ms, ...more }) => {
			const from = said.length;
			tell({ do: 'deliver', id, to, within_ms, json: JSON.stringify({ rule, visitor: 'v', class: 'marketing', ...more, content }) });
			const { number, reason } = await waitFor('delivering', (line) => line.id === id, from);
			return { outcome: OUTCOMES[number], reason };
		},
		result: async (id) => {
			const { number, reason } = await waitFor('result', (line) => line.id === id);
			return { outcome: OUTCOMES[number], reason };
		},
		results: () => said.filter(({ what }) => what === 'result'),
		events: (id) => said.filter((line) => line.what === 'event' && line.id === id).map(({ name, json }) => ({ name, ...(json ? JSON.parse(json) : {}) })),
		ask: async (method, path, { headers = {}, body } = {}) => {
			const from = said.length;
			tell({ do: 'ask', method, path, headers, ...(body === undefined ? {} : { body }) });
			const { number, headers: lines, body: answer } = await waitFor('reply', () => true, from);
			const found = Object.fromEntries(lines.trim().split('\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]));
			return { status: number, headers: found, body: answer };
		},
		stop: async () => {
			if (over === undefined) child.stdin.end();
			const late = setTimeout(() => child.kill('SIGKILL'), 10000);
			const status = await ended.finally(() => clearTimeout(late));
			if (status !== 0) throw new Error(`the driver ended with ${status}:\n${errors}`);
		},
	};
	t.after(() => email.stop());
	if (config) {
		const { ok, message } = await configured('start', 'started', config);
		if (!ok) throw new Error(message);
	}
	return email;
}
