// `messages preview`: what a rule would send, written to files by the code that sends it, and sent to nobody.

import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ask, run, temporaryFolder, writeFiles } from './daemon.mjs';
import { bearer, event, secret, servePeople } from './people.mjs';
import { ownPlugins, pluginFolder, quick } from './server.mjs';
import { readMail, startSmtp } from './smtp.mjs';

const rules = `
slot "home.hero" { channel = "web" }
rule "hero" { slot = "home.hero", show = { banner = "x" } }
rule "reminder" { channel = "email", on = "Product Added", after = "1s", send = { template = "reminder", subject = "Your {{event.name|thing}}" } }
rule "texted" { channel = "sms", on = "Back", send = function(v) return { text = "It is back: " .. v:get("event.name", "it") } end }
rule "priced" { channel = "email", on = "Priced", class = "service", send = { subject = "{{#cart}}{{total}}{{/cart}} {{currency}}", text = "{{cart.total}}{{#revenue}}!{{/revenue}} {{average_order|-}} {{event.price}}" } }
rule "breaks" { channel = "email", on = "Back", send = function(v) return { subject = "x", text = v.event.name .. "!" } end }
rule "pushed" { channel = "push", on = "Back", send = { title = "{{event.name|it}}" } }
`;
const template = '<html><body><h1>Hello {{traits.first_name|you}}</h1><p><a href="https://shop.example/p?id={{event.product_id}}">{{event.name}}</a></p><p><a href="{{unsubscribe_url}}">no more letters</a></p></body></html>';
const email = 'email = { smtp = "smtp://127.0.0.1:9", from = "Shop <hello@shop.example>", address = "Shop Ltd, 1 Road" }';
const sms = 'sms = { gateway = "kannel", url = "http://127.0.0.1:9", username = "u", password = "p", from = "12345", brand = "Shop" }';

function shop(t, { plugins = `${email}, ${sms}`, path = ownPlugins } = {}) {
	const folder = temporaryFolder(t, {
		'floorwalker.lua': `rules = "shop"\ncompliance = false\nstore = "lmdb:data"\nplugin_path = "${path}"\nplugins = { ${plugins} }\n`,
		'shop/messages.lua': rules, 'shop/templates/reminder.html': template,
	});
	const preview = (rule, facts, ...more) => {
		const told = facts === undefined ? [] : ['--facts', typeof facts === 'string' ? facts : JSON.stringify(facts)];
		return run(['messages', 'preview', ...(rule ? ['--rule', rule] : []), ...told, ...more], { cwd: folder });
	};
	return { folder, preview, read: (name) => readFileSync(join(folder, name), 'utf8') };
}

const at = '2026-11-23T10:00:00Z';
const added = { name: 'Trail <boot>', product_id: 'B&1', price: 89 };
const ann = { at, traits: { first_name: 'Ann', email: 'ann@mail.example' }, events: [{ event: 'Product Added', properties: added }] };

test('a letter is written as it would go, for who is given', async (t) => {
	const { folder, preview, read } = shop(t);
	const { status, stdout, stderr } = preview('reminder', ann);
	assert.deepEqual([status, stderr], [0, '']);
	assert.equal(stdout, 'reminder.eml\nreminder.html\nreminder.txt\nto: ann@mail.example\n');
	const mail = await readMail(read('reminder.eml'));
	assert.deepEqual([mail.to.text, mail.from.text, mail.subject, mail.date.toISOString()],
		['ann@mail.example', '"Shop" <hello@shop.example>', 'Your Trail <boot>', '2026-11-23T10:00:00.000Z']);
	assert.match(mail.html, /Hello Ann[^]*Trail &lt;boot&gt;/);
	assert.equal(mail.headers.get('list')['unsubscribe-post'].name, 'List-Unsubscribe=One-Click');
	// What stands beside it is what is in it; nobody wrote the text.
	assert.equal(mail.html.trim(), read('reminder.html').trim());
	assert.equal(mail.text.trim(), read('reminder.txt').trim());
	assert.match(mail.text, /Hello Ann[^]*Trail <boot>[^]*Shop Ltd, 1 Road/);
	// At one time it is one letter, bit for bit; and nothing else was made.
	const first = read('reminder.eml');
	assert.equal(preview('reminder', ann, '--out', 'a/b').status, 0);
	assert.equal(read('a/b/reminder.eml'), first);
	assert.deepEqual(readdirSync(folder).sort(), ['a', 'floorwalker.lua', 'reminder.eml', 'reminder.html', 'reminder.txt', 'shop']);
});

// Without what differs from one letter to the next: its id, what is signed, its time.
const common = (mail) => mail.replaceAll('\r\n', '\n').replaceAll('=\n', '').replaceAll(/\/email\/([uco])\/[\w=-]+/g, '/email/$1/TOKEN')
	.replaceAll(/(?<![a-z0-9])(?:preview0+|[0-9a-f]{32})(-[0-9a-f]{20})?(?![a-z0-9])/g, 'ID').replace(/^Date: .*$/m, 'Date: now');

test('it is what is sent, but for the id, the time and what is signed', async (t) => {
	const smtp = await startSmtp(t);
	const real = await servePeople(t, {
		files: { 'shop/messages.lua': rules, 'shop/templates/reminder.html': template },
		config: {
			plugin_path: ownPlugins, limits: { ...quick, message_again_ms: 100 },
			plugins: { web: {}, email: { smtp: `smtp://127.0.0.1:${smtp.port}`, from: 'Shop <hello@shop.example>', address: 'Shop Ltd, 1 Road' } },
		},
	});
	assert.equal((await real.send('identify', { userId: 'u-1', traits: ann.traits })).status, 200);
	assert.equal((await ask(`${real.url}/v1/visitors/u-1/consent`, { grant: ['email'] }, bearer(secret))).status, 200);
	assert.equal((await real.send('track', event({ anonymousId: undefined, userId: 'u-1', event: 'Product Added', properties: added }))).status, 200);
	const [sent] = await smtp.waitFor(1);
	const folder = temporaryFolder(t);
	assert.equal(run(['messages', 'preview', '--rule', 'reminder', '--facts', JSON.stringify(ann), '--config', real.config], { cwd: folder }).status, 0);
	const written = readFileSync(join(folder, 'reminder.eml'), 'latin1');
	assert.equal(common(written), common(sent.raw.toString('latin1')));
	// A link out of it is nobody's.
	const link = (await readMail(written)).headers.get('list').unsubscribe.url;
	assert.equal((await fetch(real.url + new URL(link).pathname, { method: 'POST', body: 'List-Unsubscribe=One-Click', headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status, 404);
	assert.equal((await real.visitor('u-1')).consent.email.state, 'granted');
});

test('a text is written with what it costs', (t) => {
	const { preview, read } = shop(t);
	const plain = preview('texted', { event: { name: 'Trail boot' } });
	assert.deepEqual([plain.status, plain.stdout], [0, 'texted.txt\nto: +12025550100\nalphabet: GSM-7\ncharacters: 22\nsegments: 1\n']);
	assert.equal(read('texted.txt'), 'It is back: Trail boot');
	const long = preview('texted', { traits: { phone: '+4930123456' }, event: { name: 'Schöner Stiefel ☃'.repeat(5) } }, '--json');
	assert.equal(long.status, 0, long.stderr);
	const { to, notes, files, missing } = JSON.parse(long.stdout);
	assert.deepEqual({ to, notes, files, missing }, { to: '+4930123456', notes: { alphabet: 'UCS-2', characters: '97', segments: '2' }, files: ['texted.txt'], missing: [] });
	const most = preview('texted', { event: { name: '☃'.repeat(300) } });
	assert.deepEqual([most.status, most.stdout], [1, '']);
	assert.match(most.stderr, /sms would not send it: the text takes 5 segments, and max_segments is 3; a character beyond the GSM alphabet/);
});

test('money has the digits of its currency', (t) => {
	const { folder, preview, read } = shop(t);
	const facts = { cart: { total: 59.9 }, revenue: 0, average_order: 1234.5, event: { price: 89.5 } };
	assert.equal(preview('priced', facts).status, 0);
	assert.match(read('priced.eml'), /^Subject: 59\.90 EUR\r$/m);
	assert.equal(read('priced.txt'), '59.90 1234.50 89.5');
	const config = read('floorwalker.lua');
	writeFiles(folder, { 'yen.lua': `${config}currency = "JPY"\n` });
	assert.equal(preview('priced', facts, '--config', 'yen.lua').status, 0);
	assert.equal(read('priced.txt'), '60 1234 89.5');
});

test('what the facts lack is named where it is read', (t) => {
	const { preview, read } = shop(t);
	const { status, stdout, stderr } = preview('reminder', {}, '--json', '--to', 'x@mail.example');
	assert.equal(status, 1);
	assert.deepEqual([JSON.parse(stdout).missing.sort(), JSON.parse(stdout).to], [['event.name', 'event.product_id'], 'x@mail.example']);
	assert.match(stderr, /^templates\/reminder\.html:1: \{\{event\.name\}\} has no value in these facts: nothing is written there; a fallback would be \{\{event\.name\|…\}\}$/m);
	assert.match(read('reminder.eml'), /^Subject: Your thing\r$/m);
});

test('what cannot be previewed says why', (t) => {
	const { folder, preview } = shop(t);
	const says = (answer, status, pattern) => {
		assert.match(answer.stderr, pattern);
		assert.equal(answer.status, status);
	};
	says(preview('remindr', {}), 1, /there is no rule "remindr"; did you mean "reminder"\?/);
	says(preview('hero', {}), 1, /the rule "hero" is for the slot "home\.hero" and sends nothing/);
	says(preview('reminder'), 2, /for which visitor\? Say it with --facts/);
	says(preview(null, {}), 2, /a preview of which rule\?/);
	says(preview('reminder', '{"contry":"CA"}'), 1, /--facts: .*contry.*did you mean "country"/);
	says(preview('reminder', 'nowhere.json'), 1, /nowhere\.json cannot be read: No such file/);
	says(preview('breaks', {}), 1, /messages\.lua:\d+: .*nil/);
	says(preview('reminder', ann, '--to', 'nobody'), 1, /email would not send it: /);
	says(run(['messages', 'list', '--facts', '{}'], { cwd: folder }), 2, /--facts, --to, --out and --rules are for preview/);
	assert.deepEqual(readdirSync(folder).sort(), ['floorwalker.lua', 'shop'], 'nothing was written');
});

test('of a channel that nobody is, and of one that shows nothing, there is what it would be handed', (t) => {
	const { preview, read } = shop(t);
	const nobody = preview('pushed', { event: { name: 'Boot' } });
	assert.match(nobody.stderr, /no plugin of the configuration is the channel "push"/);
	assert.deepEqual([nobody.status, nobody.stdout], [1, 'pushed.json\nto: somebody\n']);
	assert.deepEqual(JSON.parse(read('pushed.json')).content, { title: 'Boot' });
	const path = temporaryFolder(t);
	cpSync(join(pluginFolder, 'email.so'), join(path, 'email.so'));
	const older = shop(t, { path, plugins: 'email = { file = "sent.jsonl" }' });
	const { status, stdout, stderr } = older.preview('reminder', ann);
	assert.match(stderr, /the plugin "email" cannot show what it would send; this is what it would be handed/);
	assert.deepEqual([status, stdout], [0, 'reminder.html\nreminder.txt\nreminder.json\nto: ann@mail.example\n']);
	assert.match(older.read('reminder.html'), /https:\/\/floorwalker\.invalid\/unsubscribe/);
	const handed = JSON.parse(older.read('reminder.json'));
	assert.deepEqual([handed.rule, handed.class, handed.content.subject], ['reminder', 'marketing', 'Your Trail <boot>']);
	assert.ok(!existsSync(join(older.folder, 'sent.jsonl')), 'nothing was delivered');
});
