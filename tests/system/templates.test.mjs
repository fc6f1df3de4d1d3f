// Template files belong to the rule set: a mistake in one keeps it from loading, they are in its hash, and they are kept with it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, run, startDaemon, temporaryFolder, until, writeFiles } from './daemon.mjs';
import { askFresh, question, serve } from './server.mjs';

const rule = 'rule "hello" { channel = "email", on = "Signed Up", send = { template = "hello", subject = "Hi {{traits.name|there}}" } }\n';

function check(t, files) {
	const folder = temporaryFolder(t, files);
	const { status, stdout } = run(['check', '--json', '--rules', folder], { cwd: folder });
	const errors = JSON.parse(stdout).errors.map((e) => `${e.file}:${e.line}: ${e.message}${e.hint ? `; ${e.hint}` : ''}`);
	assert.equal(status, errors.length ? 1 : 0);
	return errors;
}

test('templates of every form, partials and folders are read', (t) => {
	assert.deepEqual(check(t, {
		'a.lua': rule + rule.replace('"hello"', '"other"').replace('"hello"', '"in/other"').replace('Signed Up', 'Signed In'),
		'templates/hello.html': '{{> head}}<p>{{traits.name}}</p>', 'templates/_head.html': '<h1>{{content.subject}}</h1>',
		'templates/hello.txt': '{{traits.name}}', 'templates/in/other.txt': '{{> in/part}}', 'templates/in/_part.txt': '{{event.id}}',
		'templates/.draft.html': '{{#', 'templates/README.md': '{{#', 'templates/hello.html~': '{{#', 'more/templates/x.html': '{{#',
	}), []);
});

test('mistakes have their place', (t) => {
	assert.deepEqual(check(t, {
		'a.lua': rule,
		'templates/hello.html': '<p>\n{{#cart.items}}</p>', 'templates/hello.txt': '{{> foot}}\n', 'templates/other.txt': 'x\n\n{{/x}}',
	}), [
		'templates/hello.html:2: the section "cart.items" is never closed; write {{/cart.items}} where it ends',
		'templates/other.txt:3: {{/x}} closes what was never opened; a section begins with {{#name}} or {{^name}}',
	]);
	assert.deepEqual(check(t, { 'a.lua': rule, 'templates/helo.html': '{{frist_name}}' }), [
		'templates/helo.html:1: there is no {{frist_name}}; what is known of a person is {{traits.NAME}}, what the event tells {{event.NAME}}, '
			+ 'what `send` made {{content.NAME}}',
		'a.lua:1: rule "hello": send: there is no template "hello"; did you mean "helo"?',
	]);
	assert.deepEqual(check(t, { 'templates/hello.html': '' }).map((e) => e.replace(/^.*: no/, 'no')),
		['no rule files (*.lua) in this folder; rules/shop is an example']);
});

test('a rule without a template in a compliance folder is nobody\'s business', (t) => {
	const folder = temporaryFolder(t, {
		'floorwalker.lua': 'rules = "rules"\ncompliance = "law"\n', 'rules/a.lua': 'slot "s" { channel = "web", default = {} }\nrule "r" { slot = "s", show = {} }\n',
		'law/g.lua': 'guard "g" { because = "x", require = { consent = "x" } }\n', 'law/templates/bad.html': '{{#',
	});
	assert.equal(run(['check'], { cwd: folder }).status, 0);
});

test('a template that changes makes another set, and one with a mistake none', async (t) => {
	const shop = await serve(t, { files: { 'shop/mail.lua': rule, 'shop/templates/hello.html': '<p>{{traits.name|you}}</p>' } });
	const hash = async () => JSON.parse((await askFresh(`${shop.url}/v1/decide`, question)).text).ruleSet;
	const first = await hash();
	shop.write({ 'shop/templates/hello.html': '<p>{{traits.name|you there}}</p>' });
	assert.equal(shop.reload().status, 0);
	await until(async () => await hash() !== first, { what: 'the rule set has another hash' });
	shop.write({ 'shop/templates/hello.html': '<p title={{traits.name}}>' });
	const { status, stderr } = shop.reload();
	assert.equal(status, 1);
	assert.match(stderr, /templates\/hello\.html:1: a variable stands in a value without quotes; put quotes around the value/);
	assert.equal(await shop.banner(), 'one');
});

test('the templates in service are kept, and a start whose own do not load has them', async (t) => {
	const files = { 'shop/mail.lua': rule, 'shop/templates/hello.html': '{{> head}}', 'shop/templates/_head.html': '<p>hello</p>' };
	const shop = await serve(t, { files });
	const current = join(shop.folder, 'run/sets/current');
	await until(() => existsSync(current), { what: 'what serves is kept' }); // it answers first
	assert.equal(readFileSync(join(current, 'rules/templates/_head.html'), 'utf8'), '<p>hello</p>');
	const { ruleSet } = (await shop.decide()).body;
	await shop.daemon.stop();
	rmSync(join(shop.folder, 'shop/templates/_head.html'));
	const again = await startDaemon(t, shop.config);
	assert.equal((await ask(`${again.url}/v1/decide`, question)).body.ruleSet, ruleSet);
	assert.match(again.log(), /there is no partial \\"head\\"/);
	writeFiles(shop.folder, files);
	assert.equal(shop.reload().status, 0);
	await again.stop();
});
