// What the guides show is run: README.md, those of rules/, plugins/ and core/, and of the example folders; nowhere else stand commands.
//
// For whoever writes a guide:
//
// ```sh      a line that begins with "$ " is a command (goes on while its lines end in "\" or begin with "> "); the lines
//            after it are its output, both streams together, where "…" in a line stands for anything in that line and a line of
//            "…" for any number of lines. Without output lines only the exit status counts, which is 0 unless the command ends
//            in "# exit status N". Commands run with bash, in order, in a folder with a copy of rules/ (and of plugins/, and
//            core/include/), `floorwalker` on the PATH. A command that is only "cd FOLDER" lasts; variables, and any other
//            "cd", last for one command. A daemon with rules/floorwalker.lua runs as soon as a command names 127.0.0.1:8080,
//            reload or status; the address is replaced by its own. A command that begins with "floorwalker serve" starts that daemon instead: its output is what the
//            log says until it listens, and it runs on. A block without "$ " is not run.
// ```lua     a complete rule set, which must load; if it has tests, they must pass. First lines with a meaning:
//            "-- fragment of shop/winter.lua": appended to that file (made if need be) of a copy of rules/ instead;
//            "-- file shop/rain.lua": saved under that name in rules/, for the commands after it, which try it;
//            "-- error: TEXT": it must not load, and an error says TEXT;
//            "-- floorwalker.lua": a whole configuration, with which the daemon must start.
// ```c       a file that must compile with the installed header alone. "/* fragment of log/log.c */" as the first line:
//            it is compiled as the end of that file of plugins/.
// Other languages (and none) are not run. Links to files must lead somewhere.

import './release.mjs';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { environment, program, run, startDaemon, temporaryFolder, tree, writeFiles } from './daemon.mjs';
import { blocksOf, commandsOf, linksOf, matches } from './guides.mjs';
import { files } from './house.mjs';

const EXAMPLES = ['shop', 'media', 'travel', 'onboarding', 'demo', 'compliance'];
const GUIDES = ['README.md', 'rules/README.md', 'plugins/README.md', 'core/README.md', ...EXAMPLES.map((name) => `rules/${name}/README.md`)];
const ADDRESS = '127.0.0.1:8080';
const FREE = { FW_LISTEN: '127.0.0.1:0' };

// A folder as a reader of the guides has it after a build.
function readersFolder(t) {
	const folder = mkdtempSync(join(tmpdir(), 'fw-docs-'));
	t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
	for (const part of ['rules', 'plugins', 'core/include', '.geo']) {
		if (existsSync(join(tree, part))) cpSync(join(tree, part), join(folder, part), { recursive: true, filter: (from) => !/\/(var|node_modules)(\/|$)/.test(from) });
	}
	mkdirSync(join(folder, 'bin'));
	symlinkSync(program, join(folder, 'bin/floorwalker'));
	return folder;
}

// Runs the commands of one guide in one folder, with at most one daemon.
class Reader {
	constructor(t) {
		this.t = t;
		this.folder = readersFolder(t);
		this.at = this.folder;
	}

	address() {
		return this.daemon ? this.daemon.url.replace('http://', '') : ADDRESS;
	}

	async serve(config) {
		await this.daemon?.stop();
		this.daemon = await startDaemon(this.t, config, { env: FREE });
	}

	async run({ command, status, output }) {
		const cd = command.match(/^cd (\S+)$/);
		if (cd) {
			this.at = join(this.at, cd[1]);
			return assert.ok(existsSync(this.at), command);
		}
		if (command.startsWith('floorwalker serve')) {
			await this.serve(join(this.at, command.match(/--config[ =](\S+)/)?.[1] ?? 'floorwalker.lua'));
			if (output !== null) this.compare(command, output, this.daemon.log());
			return;
		}
		if (!this.daemon && (command.includes(ADDRESS) || /floorwalker (reload|status)/.test(command))) await this.serve(join(this.folder, 'rules/floorwalker.lua'));
		const env = environment({ PATH: `${this.folder}/bin:${process.env.PATH}`, ...FREE });
		const answer = spawnSync('bash', ['-c', `exec 2>&1; ${command.replaceAll(ADDRESS, this.address())}`],
			{ cwd: this.at, env, encoding: 'utf8', timeout: 60000, killSignal: 'SIGKILL' });
		assert.equal(answer.status, status, `exit status of: ${command}\n${answer.stdout}`);
		if (output !== null) this.compare(command, output, answer.stdout);
	}

	compare(command, shown, actual) {
		const told = actual.replaceAll(this.address(), ADDRESS).replaceAll(`${this.folder}/`, '');
		assert.ok(matches(shown, told), `${command}\n--- the guide shows\n${shown}\n--- the program says\n${told}`);
	}
}

const firstLine = (text, pattern) => text.split('\n', 1)[0].match(pattern)?.[1].trim();

function check(where) {
	const { stdout, stderr, status } = run(['check', '--json', ...where.args], where);
	assert.ok(stdout.startsWith('{'), `check --json ended with ${status}:\n${stdout}${stderr}`);
	return JSON.parse(stdout).errors;
}

async function runLua(t, reader, text) {
	const saved = firstLine(text, /^-- file (.+)$/);
	if (saved) return writeFiles(join(reader.folder, 'rules'), { [saved]: text.replace(/^.*\n/, '') });
	if (/^-- floorwalker\.lua/.test(text)) {
		const folder = readersFolder(t);
		writeFileSync(join(folder, 'rules/floorwalker.lua'), text.replaceAll(ADDRESS, FREE.FW_LISTEN));
		const daemon = await startDaemon(t, join(folder, 'rules/floorwalker.lua'), { env: FREE });
		assert.equal(await daemon.stop(), 0, daemon.log());
		return;
	}
	const fragment = firstLine(text, /^-- fragment of (.+)$/);
	const folder = temporaryFolder(t);
	if (fragment) cpSync(join(tree, 'rules'), folder, { recursive: true });
	appendFileSync(join(folder, fragment ?? 'guide.lua'), text);
	const where = { cwd: folder, args: fragment ? [] : ['--rules', folder] };

	const wanted = firstLine(text.replace(/^-- fragment of .*\n/, ''), /^-- error: (.+)$/);
	const errors = check(where);
	const said = errors.map((e) => `${e.file}:${e.line}: ${e.message}; ${e.hint ?? ''}`);
	if (wanted) return assert.ok(said.some((row) => row.includes(wanted)), `no error says: ${wanted}\n${said.join('\n')}`);
	assert.deepEqual(said, []);
	if (/^test "/m.test(text)) {
		const { status, stdout, stderr } = run(['test', ...where.args], where);
		assert.equal(status, 0, stdout + stderr);
	}
}

function compile(t, text) {
	const fragment = firstLine(text, /^\/\* fragment of (\S+) \*\/$/);
	const source = fragment ? readFileSync(join(tree, 'plugins', fragment), 'utf8') + text : text;
	const folder = temporaryFolder(t, { 'guide.c': source });
	cpSync(join(tree, 'core/include'), join(folder, 'include'), { recursive: true });
	const { status, stderr } = spawnSync('cc', ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-fPIC', '-Iinclude', '-c', 'guide.c'],
		{ cwd: folder, encoding: 'utf8' });
	assert.equal(status, 0, stderr);
}

test('no other README shows a command', () => {
	for (const file of files(tree).filter((name) => name.endsWith('.md') && !GUIDES.includes(name))) {
		assert.deepEqual(blocksOf(readFileSync(join(tree, file), 'utf8')).filter(({ language }) => language === 'sh').map(({ line }) => `${file}:${line}`), [], 'nobody runs it: docs.test.mjs');
	}
});

for (const guide of GUIDES) {
	test(guide, async (t) => {
		const markdown = readFileSync(join(tree, guide), 'utf8');
		const reader = new Reader(t);
		for (const { target, line } of linksOf(markdown)) {
			await t.test(`${guide}:${line}: the link to ${target}`, () => assert.ok(existsSync(join(tree, dirname(guide), target))));
		}
		for (const block of blocksOf(markdown)) {
			const name = `${guide}:${block.line}`;
			if (block.language === 'sh') {
				for (const command of commandsOf(block)) await t.test(`${guide}:${command.line}: ${command.command}`, () => reader.run(command));
			} else if (block.language === 'lua') await t.test(`${name}: the rules`, (t) => runLua(t, reader, block.text));
			else if (block.language === 'c') await t.test(`${name}: the plugin`, (t) => compile(t, block.text));
		}
	});
}
