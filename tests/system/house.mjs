// The rules of the house that a grep can check. Each takes the root of a tree and answers with what offends:
// a list of "file:line: what is wrong". tests/system/house.test.mjs runs them on this tree, and each on a made-up one
// that breaks it.

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

// The folders of core/ in the order of the data's way through the house: each includes only itself and those before it.
export const ROOMS = ['base', 'fact', 'store', 'signal', 'profile', 'rules', 'learn', 'catalog', 'decide', 'check', 'people',
	'message', 'trace', 'http', 'server', 'cli'];

const TOP = ['meson.build', 'core', 'plugins', 'rules', 'scripts', 'tests', 'README.md', 'LICENSE'];
const GUIDES = ['core/README.md', 'plugins/README.md', 'rules/README.md'];
const README_LINES = 80;
const FILE_LINES = 600;
const LINE_COLUMNS = 140;

// Function pointers in the headers of core/, by the header and the name. One that calls a room further down the list is
// an include in disguise: only the store's completion and the plugin host's table may. Whoever adds a pointer says here
// who is called.
export const POINTERS = {
	'core/cli/messages.h': { fw_messages_act: 'cli/ itself: what is done with a message that was found' },
	'core/message/messages.h': {
		deliver: 'the plugin host\'s table: the plugin that is the channel',
		fw_messages_heard: 'server/: the plugin that has heard something',
		judged: 'server/, which brings what was decided to the log',
	},
	'core/people/suppression.h': {
		fw_suppression_looked: 'message/ and server/: whoever is about to send, or explains it', fw_suppression_done: 'message/: whoever said so',
	},
	'core/cli/log_walk.h': { on_set: 'cli/ itself: the command that walks through the log', on_decision: 'the same', on_gap: 'the same' },
	'core/cli/watch.h': { fw_watch_each: 'cli/ itself: the command that is done again' },
	'core/cli/command.h': { run: 'cli/ itself: the subcommand' },
	'core/fact/catalogue.h': { fits: 'fact/ itself: the check of a value\'s form' },
	'core/server/plugins.h': { handle: 'the plugin host\'s table, and server/ itself' },
	'core/server/engine_people.h': { fw_engine_done: 'the plugin host\'s table, in server/ itself' },
	'core/server/stock.h': { on_change: 'server/ itself: the streams whose answers hang on the product' },
	'core/server/spool.h': { wake: 'server/ itself: events that wait behind others' },
	'core/server/sending.h': { done: 'server/ itself: the worker that ends' },
	'core/server/spool_drain.h': { done: 'server/ itself: the worker that ends' },
	'core/server/gently.h': { work: 'server/ itself: the loader, loading the rules' },
	'core/server/report.h': { each: 'server/ and cli/: who reads errors' },
	'core/people/people.h': {
		fw_people_loaded: 'server/ and cli/: whoever asked for a person',
		fw_people_done: 'the same, and whoever reserved or handed in events',
	},
	'core/people/flight.h': { arrived: 'people/ itself: who waits for a person' },
	'core/people/tour.h': { each: 'people/ itself: what a row that was found asks for' },
	'core/people/outgoing.h': { done: 'people/ itself: who writes entries' },
	'core/people/undo.h': { fw_people_previewed: 'server/ and cli/: whoever asked what two people would be as one' },
	'core/people/erase.h': { fw_people_erased: 'the same: whoever erased somebody' },
	'core/people/seal_key.h': { fw_seal_key_found: 'server/ and cli/: whoever logs a decision, or reads what was logged' },
	'core/people/dead.h': { each: 'cli/: who reads dead letters', done: 'the same' },
	'core/check/cover.h': { accept: 'check/ itself: whoever looks for a visitor' },
	'core/rules/builder.h': { read: 'rules/ itself: the reader of a declaration\'s field' },
	'core/rules/column.h': { fw_find_block: 'rules/ itself: the AND for this machine\'s vector registers' },
	'core/rules/purity.h': { fw_purity_global: 'rules/ itself: what a global name means' },
	'core/store/store.h': {
		fw_store_got: 'the store\'s completion: who reads a row', fw_store_listed: 'the store\'s completion: who scans',
		fw_store_committed: 'the store\'s completion: who commits', fw_store_changed: 'the store\'s completion: who watches',
		fw_store_leased: 'the store\'s completion: who takes a lease', fw_store_scrubbed: 'the store\'s completion: who erases',
	},
	'core/store/own.h': Object.fromEntries(['get', 'scan', 'commit', 'watch', 'scrub', 'health', 'close'].map((name) => [name, 'store/ itself: the implementation'])),
	'core/store/client.h': { connected: 'store/ itself: the handle that the connection belongs to' },
	'core/store/redis_line.h': {
		fw_redis_replied: 'store/ itself: whoever sent the command', fw_redis_turned: 'store/ itself: the node that the connection belongs to',
	},
	'core/store/redis_script.h': { row: 'store/ itself: the watcher, for each row of a notice' },
	'core/store/guard.h': { run: 'store/ itself: what is tried in a child' },
	'core/store/keeper.h': { each: 'the command that checks: who knows what a row means' },
	'core/http/client.h': { fw_client_done: 'server/, for the plugin host\'s table' },
	'core/http/server.h': {
		on_request: 'server/, which hands requests to the plugin host\'s table',
		on_drained: 'server/, whose worker ends then',
		on_clear: 'server/, whose stream has more to tell',
		on_closed: 'server/, whose stream is no more',
	},
};

const BANNED = {
	strcpy: 'use fw_buf or memcpy with a length', strcat: 'use fw_buf', sprintf: 'use snprintf or fw_buf',
	vsprintf: 'use vsnprintf or fw_buf', gets: 'has no bound', system: 'runs a shell', popen: 'runs a shell',
	rand: 'not seeded per decision', srand: 'global state', strtok: 'global state', tmpnam: 'races',
};
const BANNED_IN_CORE = {
	tzset: 'the process has no time zone; see base/zone.h', localtime: 'see base/zone.h',
	localtime_r: 'see base/zone.h', mktime: 'see base/zone.h',
};

const isIgnored = (name) => name.startsWith('.') || name === 'node_modules' || name === 'var' || name.startsWith('build');

// Every file below `folder`, as paths from the root, in order; what git ignores is left out at the top and below.
export function files(root, folder = '.') {
	const found = [];
	for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
		if (entry.isDirectory() ? isIgnored(entry.name) : entry.name.startsWith('.')) continue;
		const path = join(folder, entry.name);
		if (entry.isDirectory()) found.push(...files(root, path));
		else if (entry.isFile()) found.push(path);
	}
	return found.sort();
}

const filesOf = (root, folder, pattern) => (has(root, folder) ? files(root, folder) : []).filter((f) => pattern.test(f));
const has = (root, path) => {
	try { return readdirSync(join(root, dirname(path))).includes(basename(path)); } catch { return false; }
};
const read = (root, file) => readFileSync(join(root, file), 'utf8');
const lineAt = (text, index) => text.slice(0, index).split('\n').length;

// C without comments and the insides of literals; every line stays where it was.
export function withoutComments(text) {
	const token = /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'/g;
	return text.replace(token, (t) => (t[0] === '/' ? t.replace(/[^\n]/g, ' ') : t[0] + ' '.repeat(t.length - 2) + t[0]));
}

function* includes(root, file) {
	const text = read(root, file);
	for (const m of text.matchAll(/^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]/gm)) {
		yield { line: lineAt(text, m.index), quoted: m[1] === '"', path: m[2] };
	}
}

export function folderOrder(root) {
	const bad = [];
	for (const file of filesOf(root, 'core', /\.[ch]$/)) {
		const room = file.split('/')[1];
		const installed = room === 'include';
		if (!installed && !ROOMS.includes(room)) bad.push(`${file}:1: ${room} is no room of core/`);
		for (const { line, quoted, path } of includes(root, file)) {
			const target = path.split('/')[0];
			const say = (what) => bad.push(`${file}:${line}: includes ${path}, ${what}`);
			if (path === 'floorwalker/plugin.h') {
				if (ROOMS.indexOf(room) < ROOMS.indexOf('server')) say('which is for plugins and for server/');
			} else if (installed) {
				if (quoted) say('but what is installed stands alone');
			} else if (!quoted) {
				if (ROOMS.includes(target) && has(root, join('core', path))) say('write "room/file.h"');
			} else if (!path.includes('/') || !ROOMS.includes(target)) {
				say('write "room/file.h"');
			} else if (ROOMS.indexOf(target) > ROOMS.indexOf(room)) {
				say(`but ${target}/ comes after ${room}/`);
			}
		}
	}
	return bad;
}

export function pluginIncludes(root) {
	const bad = [];
	for (const file of filesOf(root, 'plugins', /\.[ch]$/)) {
		for (const { line, quoted, path } of includes(root, file)) {
			const shared = quoted && /^common\/[^/]+$/.test(path) && file.split('/')[1] !== 'common' && has(root, join('plugins', path));
			const own = shared || (quoted && !path.includes('/') && has(root, join(dirname(file), path)));
			const room = !quoted && has(root, join('core', path));
			if (quoted ? !own : room) bad.push(`${file}:${line}: includes ${path}; a plugin sees only <floorwalker/plugin.h>, libraries, its own folder and common/`);
		}
	}
	return bad;
}

export function functionPointers(root, listed = POINTERS) {
	const bad = [];
	const seen = new Set();
	for (const file of filesOf(root, 'core', /\.h$/)) {
		if (file.startsWith('core/include/')) continue;
		const text = withoutComments(read(root, file));
		for (const m of text.matchAll(/\(\s*\*\s*(?:const\s+)?(\w+)\s*\)\s*\(/g)) {
			seen.add(`${file} ${m[1]}`);
			if (listed[file]?.[m[1]] === undefined) {
				bad.push(`${file}:${lineAt(text, m.index)}: the function pointer ${m[1]} is not listed in tests/system/house.mjs: whom does it call?`);
			}
		}
	}
	for (const [file, names] of Object.entries(listed)) {
		for (const name of Object.keys(names)) {
			if (!seen.has(`${file} ${name}`)) bad.push(`tests/system/house.mjs:1: lists ${name} of ${file}, which is not there`);
		}
	}
	return bad;
}

export function topLevel(root) {
	return readdirSync(root).filter((name) => !isIgnored(name) && !TOP.includes(name))
		.map((name) => `${name}:1: the top level holds only ${TOP.join(', ')} and dot-files`);
}

export function readmes(root) {
	const bad = [];
	for (const top of ['core', 'plugins', 'rules', 'tests'].filter((name) => has(root, name))) {
		const below = readdirSync(join(root, top), { withFileTypes: true }).filter((e) => e.isDirectory() && !isIgnored(e.name));
		for (const folder of [top, ...below.map((e) => join(top, e.name))]) {
			const readme = join(folder, 'README.md');
			// A folder that only announces itself to the build has nothing yet to be described.
			if (files(root, folder).every((f) => basename(f) === 'meson.build')) continue;
			if (!has(root, readme)) bad.push(`${readme}:1: is missing`);
			else if (!GUIDES.includes(readme) && read(root, readme).split('\n').length - 1 > README_LINES) {
				bad.push(`${readme}:${README_LINES + 1}: longer than a page (${README_LINES} lines)`);
			}
		}
	}
	return bad;
}

export function bannedCalls(root) {
	const bad = [];
	for (const top of ['core', 'plugins', 'tests']) {
		const banned = top === 'core' ? { ...BANNED, ...BANNED_IN_CORE } : BANNED;
		const call = new RegExp(`(?<![\\w.>])(${Object.keys(banned).join('|')})\\s*\\(`, 'g');
		for (const file of filesOf(root, top, /\.[ch]$/)) {
			const text = withoutComments(read(root, file));
			for (const m of text.matchAll(call)) bad.push(`${file}:${lineAt(text, m.index)}: ${m[1]}: ${banned[m[1]]}`);
		}
	}
	return bad;
}

export function longFiles(root) {
	return files(root).filter((f) => /\.[ch]$/.test(f))
		.map((file) => ({ file, n: read(root, file).split('\n').length - 1 }))
		.filter(({ n }) => n > FILE_LINES)
		.map(({ file, n }) => `${file}:${FILE_LINES + 1}: ${n} lines; does it hold two rooms?`);
}

// A tab is eight columns, as scripts/lint has it.
export function longLines(root) {
	return files(root).filter((f) => /\.[ch]$/.test(f)).flatMap((file) => read(root, file).split('\n')
		.map((text, i) => [i + 1, [...text.replaceAll('\t', '        ')].length])
		.filter(([, n]) => n > LINE_COLUMNS)
		.map(([line, n]) => `${file}:${line}: ${n} columns`));
}

export function openEnds(root) {
	const bad = [];
	const mark = new RegExp(['TO' + 'DO', 'FIX' + 'ME'].map((word) => `\\b${word}\\b`).join('|'));
	for (const file of files(root).filter((f) => /\.([chm]?js|mjs|ts|[ch]|lua|md|build|json)$|^scripts\//.test(f) && !/package-lock|\/corpus\//.test(f))) {
		read(root, file).split('\n').forEach((text, i) => {
			if (mark.test(text)) bad.push(`${file}:${i + 1}: left open: ${text.trim()}`);
		});
	}
	return bad;
}

// A function is documented by a comment above it or above the group of lines that it is in; one that stands right after
// a commented type belongs to that. So what was said serves up to the end of the first group of functions after it.
export function undocumented(root) {
	const bad = [];
	for (const file of filesOf(root, 'core', /\.h$/)) {
		let documented = false, inGroup = false, opened = false;
		read(root, file).split('\n').forEach((text, i) => {
			const prototype = /^[a-z][\w ]*[ *]fw_\w+\(/.test(text) && !/^(typedef|static)\b/.test(text);
			if (text.trim() === '' && inGroup) documented = inGroup = false;
			// The header's own comment, above the include guard, is about the file.
			if (/^#define FW_\w+_H$/.test(text)) [documented, opened] = [false, true];
			if (opened && /\/\*/.test(text)) documented = true;
			if (prototype && !documented) bad.push(`${file}:${i + 1}: ${text.match(/fw_\w+(?=\()/)[0]} has no comment above it`);
			inGroup ||= prototype;
		});
	}
	return bad;
}

export function unbuilt(root) {
	const bad = [];
	for (const top of ['core', 'plugins', 'tests'].filter((name) => has(root, name))) {
		for (const file of filesOf(root, top, /\.c$/)) {
			let listed = false;
			for (let folder = dirname(file); folder !== '.' && !listed; folder = dirname(folder)) {
				if (!has(root, join(folder, 'meson.build'))) continue;
				const path = relative(folder, file);
				const text = read(root, join(folder, 'meson.build'));
				listed = [path, path.replace(/\.c$/, '')].some((name) => text.includes(`'${name}'`));
			}
			if (!listed) bad.push(`${file}:1: no meson.build names it`);
		}
	}
	return bad;
}
