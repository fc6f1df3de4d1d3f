// A clock on the wall that a test sets, for a daemon of its own. Imported before anything else it has the release build tried, at length, too:
// libfaketime has to be loaded before all other libraries, which is where the sanitizers' must be.

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.env.FW_BIN = process.env.FW_RELEASE_BIN ?? fileURLToPath(new URL('../../build/core/floorwalker', import.meta.url));

// `env` is what a daemon is started with that goes by it; set(seconds) is by how much it is ahead of the real one from now on, now() what
// it says, in milliseconds. Durations are as they are.
export function startClock(folder) {
	const file = join(folder, 'clock');
	let ahead = 0;
	const clock = {
		env: {
			LD_PRELOAD: '/usr/$LIB/faketime/libfaketime.so.1', FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1',
			FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_DISABLE_SHM: '1', NO_FAKE_STAT: '1',
		},
		set: (seconds) => {
			ahead = seconds;
			writeFileSync(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
			renameSync(`${file}.new`, file);
		},
		now: () => Date.now() + ahead * 1000,
	};
	clock.set(0);
	return clock;
}
