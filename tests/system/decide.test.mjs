// `floorwalker decide` over visitors of different moments.

import assert from 'node:assert/strict';
import test from 'node:test';
import { run, temporaryFolder } from './daemon.mjs';

function winners(t, rules, visitors) {
	const folder = temporaryFolder(t, { 'rules/page.lua': rules });
	const { status, stdout, stderr } = run(['decide', '--rules', 'rules'], { cwd: folder, input: visitors.map((v) => `${JSON.stringify(v)}\n`).join('') });
	assert.equal(status, 0, stderr);
	return stdout.trim().split('\n').map((line) => JSON.parse(line).decisions.place.winners.map((w) => w.rule).join());
}

// Visitors at different times, in any order, through one decider.
test('rules in date are found at every moment that is given', (t) => {
	const rules = `slot "place" { channel = "web" }
		rule "autumn" { slot = "place", priority = 2, starts = "2026-09-01", ends = "2026-10-31", show = { a = 1 } }
		rule "friday" { slot = "place", priority = 3, starts = "2026-10-31T12:00", ends = "2026-11-28T12:00", when = { device = "mobile" }, show = { a = 2 } }
		rule "always" { slot = "place", show = { a = 3 } }`;
	const at = (time, device) => ({ at: time, device });
	assert.deepEqual(winners(t, rules, [at('2026-10-31T23:59', 'desktop'), at('2026-11-01T00:00', 'desktop'), at('2026-08-31T23:59', 'mobile'),
		at('2026-10-31T12:00', 'mobile'), at('2026-11-28T12:00', 'mobile'), at('2026-11-28T11:59', 'mobile'), { device: 'desktop' }, at('2026-09-01T00:00', 'tv')]),
	['autumn', 'always', 'always', 'friday', 'always', 'friday', 'autumn', 'autumn']);
});
