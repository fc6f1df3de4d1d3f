// The mail server of the benchmark (smtp_sink.c), on whichever port is free.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { environment } from '../system/daemon.mjs';
import { sleep, tool } from './bench.mjs';

// Answers { port, report(), reset(), save(path), reached(n, …) }; `stop` takes what ends it.
export async function startSink(stop) {
	const child = spawn(tool('smtp_sink'), [], { env: environment(), stdio: ['pipe', 'pipe', 'inherit'] });
	const ended = new Promise((done) => { child.on('exit', done).on('error', done); }), lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const hear = async () => {
		const { value, done } = await lines.next();
		if (done) throw new Error('smtp_sink has ended');
		return value;
	};
	// One command at a time: answers come in order.
	let last = Promise.resolve();
	const ask = (line) => {
		last = last.then(() => { child.stdin.write(`${line}\n`); return hear(); });
		return last.then(JSON.parse);
	};
	const atExit = () => child.kill('SIGKILL');
	process.on('exit', atExit);
	stop.push(async () => {
		child.stdin.end();
		await ended;
		process.off('exit', atExit);
	});
	const port = Number(await hear()), report = () => ask('report');
	// Waits until so many different messages are there; `seconds` without another one: it fails. `look` sees each report on the way.
	const reached = async (n, { seconds = 60, look = () => {} } = {}) => {
		for (let seen = -1, since = Date.now(); ;) {
			const now = await report();
			look(now);
			if (now.distinct >= n) return now;
			if (now.messages !== seen) [seen, since] = [now.messages, Date.now()];
			if (Date.now() - since > seconds * 1000) throw new Error(`of ${n} messages only ${now.distinct} have arrived, and for ${seconds} s none`);
			await sleep(0.02);
		}
	};
	return { port, report, reached, reset: () => ask('reset'), save: (path) => ask(`save ${path}`) };
}
