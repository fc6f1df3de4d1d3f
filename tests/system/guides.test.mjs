// Reading a guide finds every block, command and link in it, and a shown output that is not the program's is noticed.

import assert from 'node:assert/strict';
import test from 'node:test';
import { blocksOf, commandsOf, linksOf, matches, shownUnder } from './guides.mjs';

test('blocks have their language and line', () => {
	assert.deepEqual(blocksOf('a\n```sh\n$ x\n```\nb\n````text\n```\n````\n```\nnone\n```\n'), [
		{ language: 'sh', text: '$ x\n', line: 3 },
		{ language: 'text', text: '```\n', line: 7 },
		{ language: '', text: 'none\n', line: 10 },
	]);
	assert.throws(() => blocksOf('```sh\n$ x\n'), /never closed/);
});

test('a transcript is commands with their outputs', () => {
	const of = (text) => commandsOf({ text, line: 10 });
	assert.deepEqual(of('$ a\n$ b \\\n  c\nout\n\nmore\n'), [
		{ command: 'a', output: null, line: 10, status: 0 },
		{ command: 'b \\\n  c', output: 'out\n\nmore', line: 11, status: 0 },
	]);
	assert.deepEqual(of("$ cat <<X\n> in\n> X\nin\n").map((c) => [c.command, c.output]), [['cat <<X\nin\nX', 'in']]);
	assert.equal(of('$ floorwalker check   # exit status 1\n')[0].status, 1);
	assert.deepEqual(of('make\nmake install\n'), []);
});

test('an output matches what is shown, and nothing else does', () => {
	assert.ok(matches('a (1.5) {"x":…}', 'a (1.5) {"x":[1,2]}  \n\n'));
	assert.ok(matches('first\n…\nlast', 'first\n2\n3\nlast\n'));
	assert.ok(matches('first\n…\nlast', 'first\nlast'));
	assert.ok(matches('…', ''));
	assert.ok(!matches('a.c', 'abc'));
	assert.ok(!matches('a … c', 'a\nc'));
	assert.ok(!matches('first', 'first\nsecond'));
	assert.ok(!matches('first\n…\nlast', 'first\n2\nlast one'));
});

test('links are those outside of blocks that lead to files', () => {
	assert.deepEqual(linksOf('[a](core/README.md#top) [b](https://x.example) [c](#d)\n```\n[x](y)\n```\n[z](LICENSE)'),
		[{ target: 'core/README.md', line: 1 }, { target: 'LICENSE', line: 5 }]);
});

test('what is shown below a heading is its own', () => {
	const guide = '### One\n```js\na\n```\n```sh\nb\n```\n### Two\n```js\nc\n```\n```js\nd\n```\n';
	assert.deepEqual([shownUnder(guide, 'One', 'js'), shownUnder(guide, 'Two', 'js')], ['a\n', 'c\n\nd\n']);
	assert.throws(() => shownUnder(guide, 'Three', 'js'), /no heading "Three"/);
});
