// A reporter for node's test runner: one JSON line for each test that ended, for tests/tally.mjs to count.
// Suites are left out: they hold tests and are none. A file that ends before its tests do is one failed test.

export default async function* report(events) {
	for await (const { type, data } of events) {
		if (type !== 'test:pass' && type !== 'test:fail') continue;
		if (data.details?.type === 'suite') continue;
		const waits = data.skip !== undefined || data.todo !== undefined;
		const result = waits ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed';
		const reason = [data.skip, data.todo].find((text) => typeof text === 'string') ?? '';
		yield JSON.stringify({ name: data.name, file: data.file ?? '', result, reason }) + '\n';
	}
}
