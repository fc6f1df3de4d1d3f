// The repository's own rules: each holds on this tree, and each is shown to fail on a made-up tree that breaks it.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import * as house from './house.mjs';

const tree = fileURLToPath(new URL('../..', import.meta.url));
const open = 'TO' + 'DO';
const long = (n) => 'x\n'.repeat(n);

// For each rule: its promise, a tree that keeps it, and files that break it with what must be said of each.
const rules = [
	{
		promise: 'a room of core/ includes only itself and those before it',
		check: house.folderOrder,
		keeps: { 'core/rules/load.c': '#include <stdio.h>\n#include "fact/catalog.h"\n#include "rules/load.h"\n' },
		breaks: {
			'core/rules/index.c': ['#include "base/str.h"\n\n#  include "decide/decide.h"\n', ':3: includes decide/decide.h, but decide/ comes after rules/'],
			'core/fact/value.c': ['#include "value.h"\n', ':1: includes value.h, write "room/file.h"'],
			'core/http/route.c': ['#include <floorwalker/plugin.h>\n', ':1: includes floorwalker/plugin.h, which is for plugins'],
			'core/helpers/misc.c': ['int x;\n', ':1: helpers is no room of core/'],
		},
	},
	{
		promise: 'a plugin includes only floorwalker/plugin.h, libraries, its own folder and common/, which knows no plugin',
		check: house.pluginIncludes,
		keeps: { 'plugins/web/web.c': '#include <yajl/yajl_gen.h>\n#include <floorwalker/plugin.h>\n#include "common/json.h"\n#include "web.h"\n', 'plugins/web/web.h': '', 'plugins/common/json.h': '', 'core/base/str.h': '' },
		breaks: {
			'plugins/log/log.c': ['#include "base/str.h"\n', ':1: includes base/str.h'],
			'plugins/sms/sms.c': ['#include <base/str.h>\n', ':1: includes base/str.h'],
			'plugins/email/email.c': ['#include "../web/web.h"\n', ':1: includes ../web/web.h'],
			'plugins/email/tell.c': ['#include "web/web.h"\n', ':1: includes web/web.h'],
			'plugins/email/text.c': ['#include "common/text.h"\n', ':1: includes common/text.h'],
			'plugins/common/json.c': ['#include "web/web.h"\n', ':1: includes web/web.h'],
		},
	},
	{
		promise: 'every function pointer in a header of core/ is listed with whom it calls',
		onTree: house.functionPointers,
		check: (root) => house.functionPointers(root, { 'core/store/store.h': { done: 'the completion' } }),
		keeps: { 'core/store/store.h': 'typedef void (*done)(int);\n/* (*not)(this) */\n' },
		breaks: { 'core/rules/hook.h': ['struct x {\n\tint (*call_down)(void);\n};\n', ':2: the function pointer call_down is not listed'] },
	},
	{
		promise: 'the top level holds what the layout names',
		check: house.topLevel,
		keeps: { 'README.md': '', 'core/x': '', 'build-test/x': '', '.ci/run': '' },
		breaks: { 'NOTES.md': ['', ':1: the top level holds only'], 'docs/a.md': ['', null, 'docs:1: the top level holds only'] },
	},
	{
		promise: 'every folder has a README of a page at most',
		check: house.readmes,
		keeps: { 'core/README.md': long(300), 'core/base/README.md': long(80), 'core/base/a.c': '', 'core/cli/meson.build': '' },
		breaks: {
			'core/fact/fact.c': ['', null, 'core/fact/README.md:1: is missing'],
			'core/http/README.md': [long(81), ':81: longer than a page'],
		},
	},
	{
		promise: 'no banned call',
		check: house.bannedCalls,
		keeps: { 'core/base/a.c': '/* strcpy(a, b) */\nconst char *s = "system(x)"; // rand()\nint filesystem(int); snprintf(a, 1, "%s", s);\n', 'plugins/log/l.c': 'localtime_r(a, b);\n' },
		breaks: {
			'core/base/b.c': ['int a;\nstrcpy (x, y);\n', ':2: strcpy'],
			'core/base/c.c': ['localtime_r(a, b);\n', ':1: localtime_r'],
			'plugins/log/d.c': ["char c = '\"'; sprintf(a, b);\n", ':1: sprintf'],
			'tests/unit/e.c': ['int r = rand();\n', ':1: rand'],
		},
	},
	{
		promise: 'no C file has over 600 lines',
		check: house.longFiles,
		keeps: { 'core/base/a.c': long(600) },
		breaks: { 'core/base/b.h': [long(601), ':601: 601 lines'] },
	},
	{
		promise: 'no line of C has over 140 columns',
		check: house.longLines,
		keeps: { 'core/base/a.c': `\t${'é'.repeat(132)}\n` },
		breaks: { 'core/base/b.h': [`int a;\n\t${'x'.repeat(133)}\n`, ':2: 141 columns'] },
	},
	{
		promise: 'nothing is left open in the text',
		check: house.openEnds,
		keeps: { 'core/base/a.c': `/* ${open}S are not words */\n` },
		breaks: { 'core/base/b.c': [`\n/* ${open} later */\n`, ':2: left open'], 'scripts/demo': [`# ${open}\n`, ':1: left open'] },
	},
	{
		promise: 'every function in a header has a comment above it',
		check: house.undocumented,
		keeps: { 'core/base/a.h': '#define FW_BASE_A_H\n/* Adds. */\nint fw_a_add(int, int);\nint fw_a_sub(int, int);\n\n'
			+ 'struct fw_a {\n\tint n; /* how many */\n};\n\nvoid fw_a_init(struct fw_a *a);\n' },
		breaks: {
			'core/base/b.h': ['#define FW_BASE_B_H\n/* Adds. */\nint fw_b_add(int);\n\nconst char *fw_b_name(int);\n', ':5: fw_b_name has no comment'],
			'core/base/c.h': ['/* The file. */\n#define FW_BASE_C_H\n\nint fw_c(int);\n', ':4: fw_c has no comment'],
		},
	},
	{
		promise: 'every C file is built',
		check: house.unbuilt,
		keeps: { 'core/base/meson.build': "files('a.c')", 'core/base/a.c': '', 'tests/unit/meson.build': "'test_a': 'base'", 'tests/unit/test_a.c': '' },
		breaks: { 'core/base/b.c': ['', ':1: no meson.build names it'] },
	},
];

function madeUp(t, contents) {
	const root = mkdtempSync(join(tmpdir(), 'house-'));
	t.after(() => rmSync(root, { recursive: true }));
	for (const [path, text] of Object.entries(contents)) {
		mkdirSync(join(root, dirname(path)), { recursive: true });
		writeFileSync(join(root, path), text);
	}
	return root;
}

for (const { promise, check, onTree = check, keeps, breaks } of rules) {
	test(promise, () => {
		const offends = onTree(tree);
		assert.ok(offends.length === 0, `\n${offends.join('\n')}`);
	});
	test(`a tree where not: ${promise}`, (t) => {
		assert.deepEqual(check(madeUp(t, keeps)), []);
		const broken = Object.fromEntries(Object.entries(breaks).map(([path, [text]]) => [path, text]));
		const offends = check(madeUp(t, { ...keeps, ...broken }));
		for (const [path, [, said, whole]] of Object.entries(breaks)) {
			const expected = whole ?? path + said;
			assert.ok(offends.some((line) => line.startsWith(expected)), `${expected}\nin ${offends.join('\n')}`);
		}
		assert.equal(offends.length, Object.keys(breaks).length, offends.join('\n'));
	});
}
