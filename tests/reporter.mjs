// A reporter for node's test runner: one JSON line for each test that ended, for tests/tally.mjs to count.
// Suites are left out: they hold tests and are none. A file that ends before its tests do, or has none, is one failed test, whatever its
// exit status: to the runner, such a file has passed when that is 0.

export default async function* report(events) {
	const begun = new Map(); // by file, how many tests have not ended; a file is a test to the runner, under its own name
	const ended = new Set();
	const line = (name, file, result, reason = '', ms = 0) => JSON.stringify({ name, file, result, reason, ms }) + '\n';
	for await (const { type, data } of events) {
		const { name, file = '' } = data;
		if (type === 'test:enqueue' && name !== file) begun.set(file, (begun.get(file) ?? 0) + 1);
		if (type !== 'test:pass' && type !== 'test:fail') continue;
		if (name !== file) begun.set(file, begun.get(file) - 1);
		else ended.add(file);
		if (data.details?.type === 'suite') continue;
		const waits = data.skip !== undefined || data.todo !== undefined;
		const result = waits ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed';
		const reason = [data.skip, data.todo].find((text) => typeof text === 'string') ?? '';
		if (name !== file || result === 'failed') yield line(name, file, result, reason, Math.round(data.details?.duration_ms ?? 0));
		else yield line('ended without a test', file, 'failed');
	}
	for (const [file, n] of begun) if (n > 0 && !ended.has(file)) yield line(`ended before ${n} of its tests`, file, 'failed');
}
