// The plugin email against mail servers that nobody here wrote: what arrives, and what becomes of what does not.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import test from 'node:test';
import { until } from './daemon.mjs';
import { startEmail } from './email.mjs';
import { startExim } from './exim.mjs';
import { readMail, startSmtp } from './smtp.mjs';

const content = { subject: 'Your cart', html: '<p>Hello</p>', text: 'Hello' };
const at = (smtp, more = {}) => ({ smtp: `smtp://127.0.0.1:${smtp.port}`, ...more });
const pathOf = (link) => new URL(link).pathname;

// Delivers a message and waits for what becomes of it.
async function send(email, message) {
	const first = await email.deliver({ content, ...message });
	return first.outcome === 'pending' ? email.result(message.id) : first;
}

test('a configuration is refused with the key, the cause and what to do', async (t) => {
	const email = await startEmail(t);
	const good = { smtp: 'smtp://mail.shop.example:587', url: 'https://shop.example' };
	assert.deepEqual(await email.configure(good), { ok: true, message: '', hint: '' });
	assert.ok((await email.configure({ smtp: 'smtps://u:p%40@[::1]:465', url: 'https://shop.example/', connections: 100, track_opens: false, hostname: 'a.example' })).ok);
	for (const here of ['127.0.0.1', '127.9.0.1', 'localhost', '[::1]']) assert.ok((await email.configure({ smtp: `smtp://${here}` })).ok, here);
	assert.ok((await email.configure({ ...good, bounce_domain: `${'a.'.repeat(94)}ab` })).ok);
	const bad = [
		[{ smtp: undefined }, /smtp is not set/],
		[{ smtp: 'http://mail.example' }, /smtp is no address of a mail server/],
		[{ smtp: 'smtp://mail.example/x' }, /smtp has something behind/],
		[{ smtp: 25 }, /smtp is no text/],
		[{ from: undefined }, /from is not set/],
		[{ from: 'Shop' }, /from: "Shop" is no e-mail address/],
		[{ from: 'Shop <a@b.example>\r\nBcc: <c@d.example>' }, /from: the address has a control character/],
		[{ reply_to: 'x' }, /reply_to: "x" is no e-mail address/],
		[{ starttls: 'maybe' }, /starttls is "maybe"/],
		[{ smtp: 'smtps://mail.example', starttls: 'required' }, /begins with TLS/],
		[{ smtp: 'smtp://u:p@mail.example', starttls: 'offered' }, /the password could go over the network/],
		[{ address: undefined }, /address is not set/],
		[{ url: undefined }, /url is not set/],
		[{ url: 'http://shop.example' }, /url does not begin with https/],
		[{ url: 'https://shop.example/?a' }, /url has a query/],
		[{ url: 'shop' }, /url is no address of a web server/],
		[{ preferences: 'ftp://x.example' }, /preferences is no address/],
		[{ bounce_domain: 'x' }, /bounce_domain is no domain name/],
		[{ list_id: 'News <news.shop.example>' }, /list_id is no domain name/],
		[{ feedback_id: 'shop:1' }, /feedback_id is not of 5 to 15 bytes/],
		[{ bounce_domain: `${'a.'.repeat(94)}abc` }, /bounce_domain is longer than 190 bytes/],
		[{ smtp: 'smtp://127.example.org', url: undefined }, /url is not set/],
		[{ smtp: 'smtp://127.0.0.1.example.org', url: undefined }, /url is not set/],
		[{ smtp: 'smtp://[::2]', url: undefined }, /url is not set/],
		[{ connections: 0 }, /connections is 0/, /a whole number from 1 to 100 goes there/],
		[{ connections: 2.5 }, /connections is 2\.5/],
		[{ connections: '8' }, /connections is "8"/, /a whole number from 1 to 100 goes there/],
		[{ timeout_ms: 1 }, /timeout_ms is 1/, /from 1000 to 600000/],
		[{ track_opens: 1 }, /track_opens is 1/, /true or false/],
		[{ track_clicks: { a: 1 } }, /track_clicks is a table/],
		[{ ca: '/nowhere/ca.pem' }, /ca: \/nowhere\/ca\.pem cannot be read/],
		[{ sntp: 'x' }, /sntp is no key/],
	];
	for (const [more, message, hint = /(?:)/] of bad) {
		const answer = await email.configure({ ...good, ...more });
		assert.ok(!answer.ok, JSON.stringify(more));
		assert.match(answer.message, message);
		assert.match(answer.hint, hint);
	}
});

test('what arrives is what was meant, read by two others', async (t) => {
	const smtp = await startSmtp(t);
	const email = await startEmail(t, at(smtp, {
		from: 'Schuh & Söhne <hello@shop.example>', reply_to: 'Help <help@shop.example>', url: 'https://shop.example', list_id: 'news.shop.example',
		feedback_id: 'shop1', bounce_domain: 'bounce.shop.example', hostname: 'mail.shop.example',
	}));
	const text = 'Grüße,\n.\n..and a line that is longer than what a line may be in a message, which is why it has to be broken up on its way\nFrom here \n';
	const html = `<html><body><p>${'ä€'.repeat(500)}</p><a href="https://shop.example/cart?a=1&amp;b=2">cart</a> <a href="https://floorwalker.invalid/unsubscribe">no</a>%postal_address%</body></html>`;
	const subject = 'Ihr Warenkorb wartet – 3 Artikel für „Ada Lovelace“ sind noch da, aber nicht mehr lange 🥾🥾🥾';
	assert.deepEqual(await send(email, { id: 'm1', rule: 'cart: now', track: true, content: { subject, html, text } }), { outcome: 'delivered', reason: null });
	const [message] = await smtp.waitFor(1);
	assert.match(message.from, /^b\+m1-[0-9a-f]{20}@bounce\.shop\.example$/);
	assert.deepEqual(message.to, ['ada@mail.example']);
	assert.equal(message.helo, 'mail.shop.example');
	for (const line of message.text.split('\r\n')) assert.ok(line.length <= 78 || /^ ?<?https/.test(line.trim()), line);
	assert.ok(!/[^\r]\n|[^\t\r\n\x20-\x7e]/.test(message.text), 'ASCII, lines ended by CRLF');

	const mail = await readMail(message.raw);
	assert.equal(mail.subject, subject);
	assert.deepEqual(mail.from.value, [{ address: 'hello@shop.example', name: 'Schuh & Söhne' }]);
	assert.deepEqual(mail.replyTo.value, [{ address: 'help@shop.example', name: 'Help' }]);
	assert.equal(mail.text.replace(/\s+$/, ''), `${text}\n\n-- \n1 Road, 10115 Town\nUnsubscribe: ${mail.text.match(/https:\S+/)[0]}`.replace(/\s+$/, ''));
	assert.ok(mail.html.includes('ä€'.repeat(500)) && mail.html.includes('1 Road, 10115 Town') && !mail.html.includes('%'));
	assert.match(mail.messageId, /^<m1-[0-9a-f]{20}@mail\.shop\.example>$/);
	assert.ok(Math.abs(mail.date - Date.now()) < 60000);
	assert.equal(mail.headers.get('x-floorwalker-message'), 'm1');
	assert.equal(mail.headers.get('feedback-id'), 'cart--now:marketing:shop1');
	assert.match(message.text, /\r\nList-Id: <news\.shop\.example>\r\n/);
	assert.match(message.text, /\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n/);

	const python = `import email, email.policy, json, sys
m = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
print(json.dumps({"subject": m["subject"], "from": str(m["from"]), "defects": [str(d) for p in m.walk() for d in p.defects],
  "parts": [[p.get_content_type(), p.get_content()] for p in m.walk() if not p.is_multipart()]}))`;
	const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', python], { input: message.raw, encoding: 'utf8' });
	const second = JSON.parse(stdout || JSON.stringify(stderr));
	assert.equal(second.subject, subject);
	assert.equal(second.from, 'Schuh & Söhne <hello@shop.example>');
	assert.deepEqual(second.defects, []);
	assert.deepEqual(second.parts.map(([type]) => type), ['text/plain', 'text/html']);
	assert.ok(second.parts[0][1].startsWith(text));

	// A service message: no one-click header, no footer, nothing counted without consent.
	await send(email, { id: 'm2', class: 'transactional', content: { subject: 'Your order', html: '<a href="https://shop.example/o">o</a>', from: 'Orders <orders@shop.example>' } });
	const plain = await readMail((await smtp.waitFor(2))[1].raw);
	assert.equal(plain.html.trim(), '<a href="https://shop.example/o">o</a>');
	assert.equal(plain.from.text, '"Orders" <orders@shop.example>');
	assert.ok(!plain.headers.has('list'));
});

test('one-click unsubscribing from the header of what arrived; GET never acts', async (t) => {
	const smtp = await startSmtp(t);
	const email = await startEmail(t, at(smtp, { url: 'https://shop.example' }));
	await send(email, { id: 'm1' });
	const path = pathOf((await smtp.waitFor(1))[0].text.replace(/\r\n /g, ' ').match(/^List-Unsubscribe: <([^>]+)>/m)[1]);
	for (const method of ['GET', 'HEAD']) {
		const page = await email.ask(method, path);
		assert.equal(page.status, 200);
		assert.match(page.headers['content-security-policy'], /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/);
		assert.match(page.body, /<html lang="en">[^]*<form method="post">[^]*<button type="submit">/);
	}
	assert.equal((await email.ask('POST', path, { body: 'x=y' })).status, 400);
	assert.equal((await email.ask('POST', path)).status, 400);
	assert.deepEqual(email.events('m1'), []);
	assert.equal((await email.ask('POST', path, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'List-Unsubscribe=One-Click' })).status, 200);
	assert.deepEqual(email.events('m1'), [{ name: 'unsubscribed' }]);
	const parts = '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n';
	assert.equal((await email.ask('POST', path, { headers: { 'Content-Type': 'multipart/form-data; boundary=x' }, body: parts })).status, 200);
	assert.equal(email.events('m1').length, 2);
	email.tell({ do: 'store', status: 503, times: 1 });
	const later = await email.ask('POST', path, { body: 'List-Unsubscribe=One-Click' });
	assert.deepEqual([later.status, later.headers['retry-after']], [503, '5']);
	email.tell({ do: 'store', status: 404, times: 1 });
	assert.equal((await email.ask('POST', path, { body: 'List-Unsubscribe=One-Click' })).status, 404);
	const before = email.events('m1').length;
	for (const wrong of [path.slice(0, -1), `${path}x`, path.replace('/u/', '/c/'), '/email/u/', `${path}/x`, '/email/u/%00']) {
		const answer = await email.ask('POST', wrong, { body: 'List-Unsubscribe=One-Click' });
		assert.equal(answer.status, 404, wrong);
	}
	email.tell({ do: 'sign', known: false });
	assert.equal((await email.ask('POST', path, { body: 'List-Unsubscribe=One-Click' })).status, 503);
	assert.equal(email.events('m1').length, before);
});

test('clicks and opens are counted, machines told apart, and a click leads nowhere else', async (t) => {
	const smtp = await startSmtp(t);
	const email = await startEmail(t, at(smtp));
	const target = 'https://other.example/ü?a=1&b="2"';
	await send(email, { id: 'm1', track: true, content: { subject: 's', html: `<a href="${target.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}">x</a>` } });
	const { html } = await readMail((await smtp.waitFor(1))[0].raw);
	const click = pathOf(html.match(/href="([^"]+\/email\/c\/[^"]+)"/)[1]), open = pathOf(html.match(/src="([^"]+)"/)[1]);
	const browser = { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };
	const location = 'https://other.example/%C3%BC?a=1&b="2"';
	const soon = await email.ask('GET', click, { headers: browser });
	assert.deepEqual([soon.status, soon.headers.location, soon.headers['cache-control']], [302, location, 'no-store']);
	assert.deepEqual(email.events('m1'), [{ name: 'clicked', url: target, machine: true }], 'sooner than a person can');
	email.tell({ do: 'clock', ahead_s: 60 });
	assert.equal((await email.ask('HEAD', click, { headers: browser })).status, 302);
	assert.equal(email.events('m1').length, 1);
	await email.ask('GET', click, { headers: browser });
	await email.ask('GET', click);
	assert.deepEqual(email.events('m1').slice(1), [{ name: 'clicked', url: target }, { name: 'clicked', url: target, machine: true }]);

	const picture = await email.ask('GET', open, { headers: browser });
	assert.deepEqual([picture.status, picture.headers['content-type'], picture.headers['cache-control'], picture.body.slice(0, 6)], [200, 'image/gif', 'no-store, private', 'GIF89a']);
	for (const agent of ['Mozilla/5.0', 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)']) {
		await email.ask('GET', open, { headers: { 'User-Agent': agent } });
	}
	assert.deepEqual(email.events('m1').slice(3), [{ name: 'opened' }, { name: 'opened', machine: true }, { name: 'opened', machine: true }]);
	for (const wrong of [click.slice(0, -2), click.replace('/c/', '/u/'), open.replace('.gif', ''), `/email/c/${Buffer.from('x'.repeat(16) + 'm1.c0.https://evil.example').toString('base64url')}`]) {
		const answer = await email.ask('GET', wrong, { headers: browser });
		assert.deepEqual([answer.status, answer.headers.location], [404, undefined], wrong);
	}
	// The store does not answer at once: nobody waits, and it is told later.
	email.tell({ do: 'store', status: 503, times: 2 });
	assert.equal((await email.ask('GET', open, { headers: browser })).status, 200);
	await until(() => email.events('m1').length === 9);
});

test('what a server refuses comes back as what it means', async (t) => {
	const smtp = await startSmtp(t);
	const email = await startEmail(t, at(smtp, { connections: 1, timeout_ms: 2000 }));
	const cases = [
		['rcpt', '550 5.1.1 no such user', 'failed', true], ['rcpt', '550 5.7.1 policy', 'failed', false], ['rcpt', '450 4.2.0 greylisted', 'retry', false],
		['rcpt', '552 5.2.2 full', 'retry', false], ['rcpt', '550 user unknown', 'failed', true], ['mail', '550 5.1.1 who are you', 'failed', false],
		['mail', '451 4.3.0 later', 'retry', false], ['data', '554 5.7.1 spam', 'failed', false], ['end', '452 4.3.1 disk full', 'retry', false],
		['end', '550 5.1.1 no such user', 'failed', true], ['mail', '421 4.7.0 too many', 'retry', false],
	];
	for (const [i, [step, reply, outcome, bounced]] of cases.entries()) {
		const id = `m${i}`;
		smtp.refuse = { [step]: reply };
		const result = await send(email, { id });
		assert.equal(result.outcome, outcome, `${step} ${reply}: ${result.reason}`);
		assert.ok(result.reason.includes(reply), result.reason);
		assert.deepEqual(email.events(id).map(({ name }) => name), bounced ? ['bounced'] : [], reply);
		smtp.refuse = {};
		assert.equal((await send(email, { id: `${id}x` })).outcome, 'delivered', `after ${step} ${reply}`);
	}
	assert.equal(smtp.messages().length, cases.length, 'what was refused did not arrive');
	assert.ok(smtp.connections() <= 5, `a refusal costs no connection: ${smtp.connections()}`);

	// The suppression is stored before the attempt is over.
	smtp.refuse = { rcpt: '550 5.1.1 no such user' };
	email.tell({ do: 'store', status: 503, times: 2 });
	assert.equal((await send(email, { id: 'late' })).outcome, 'failed');
	assert.deepEqual(email.events('late').length, 3);
});

test('a server that is away, slow, or drops the connection: again later', async (t) => {
	const smtp = await startSmtp(t);
	const email = await startEmail(t, at(smtp, { connections: 1, timeout_ms: 1000 }));
	for (const step of ['connect', 'mail', 'rcpt', 'data', 'end']) {
		smtp.drop = { [step]: true };
		const result = await send(email, { id: `drop${step}` });
		assert.equal(result.outcome, 'retry', step);
		smtp.drop = {};
		smtp.slow = { [step]: 4000 };
		const slow = await send(email, { id: `slow${step}` });
		assert.equal(slow.outcome, 'retry', step);
		smtp.slow = {};
	}
	smtp.refuse = { connect: '554 5.7.1 not you' };
	assert.equal((await send(email, { id: 'refused' })).outcome, 'retry');
	smtp.refuse = {};
	await smtp.stop();
	const away = await send(email, { id: 'away' });
	assert.equal(away.outcome, 'retry');
	assert.match(away.reason, /the mail server cannot be used: .*connect/);
	await smtp.start();
	assert.equal((await send(email, { id: 'back' })).outcome, 'delivered');
});

// The host gives a message some time, and makes the next attempt when that is over: nothing of the first may arrive then.
test('a message is not handed over when its time is nearly over, and nothing is said of it afterwards', async (t) => {
	const smtp = await startSmtp(t);
	const within_ms = 3000;
	for (const [step, slow] of [['connect', 5000], ['mail', 2600], ['rcpt', 2600]]) {
		const email = await startEmail(t, at(smtp, { connections: 1 }));
		smtp.slow = { [step]: slow };
		const begun = Date.now();
		const { outcome, reason } = await send(email, { id: `slow${step}`, within_ms });
		const took = Date.now() - begun;
		assert.equal(outcome, 'retry', step);
		assert.match(reason, step === 'connect' ? /no connection to the mail server was free in time/ : /took too long/);
		assert.ok(took >= 2200 && took < within_ms, `${step}: told after ${took} ms`);
		await new Promise((done) => setTimeout(done, slow + 200 - took));
		smtp.slow = {};
		// The connection that came late serves the next.
		assert.equal((await send(email, { id: `next${step}`, within_ms })).outcome, 'delivered');
		assert.deepEqual(email.results().map(({ id }) => id), [`slow${step}`, `next${step}`]);
	}
	assert.deepEqual(smtp.messages().map(({ text }) => text.match(/X-Floorwalker-Message: (\w+)/)[1]), ['nextconnect', 'nextmail', 'nextrcpt']);

	// It has all of the message and is silent: that is said in time, too, or never.
	const email = await startEmail(t, at(smtp, { connections: 1 }));
	smtp.slow = { end: 11600 };
	const begun = Date.now();
	assert.equal((await send(email, { id: 'silent', within_ms: 9600 })).outcome, 'retry');
	const took = Date.now() - begun;
	assert.ok(took > 8900 && took < 9600, `${took} ms`);
});

test('what a server has not read when the time is over does not follow later', async (t) => {
	let stalled, heard = '';
	const server = createServer((socket) => {
		socket.on('error', () => {});
		socket.write('220 sink\r\n');
		let told = '', body = false;
		socket.on('data', (data) => {
			if (body) return void (heard += data.toString('latin1'));
			for (told += data; told.includes('\r\n'); told = told.slice(told.indexOf('\r\n') + 2)) {
				if (!(body = told.startsWith('DATA'))) socket.write('250 ok\r\n');
			}
			if (!body) return;
			socket.pause();
			socket.write('354 go\r\n');
			stalled = socket;
		});
	});
	await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
	t.after(() => { stalled?.destroy(); server.close(); });
	const email = await startEmail(t, at(server.address()));
	const result = await send(email, { id: 'm1', within_ms: 6000, content: { subject: 's', text: `${'x'.repeat(76)}\n`.repeat(20000) } });
	assert.equal(result.outcome, 'retry');
	stalled.resume();
	await new Promise((done) => { stalled.on('close', done); });
	assert.ok(heard.length > 1000 && !heard.includes('\r\n.\r\n'), `${heard.length} bytes, the end among them: ${heard.includes('\r\n.\r\n')}`);
});

test('a server that answers before it has heard all is left, and tried again', async (t) => {
	let early = '250 so soon';
	const server = createServer((socket) => {
		socket.on('error', () => {});
		socket.write('220 sink\r\n');
		let told = '', body = false;
		socket.on('data', (data) => {
			for (told += data; told.includes('\r\n'); told = told.slice(told.indexOf('\r\n') + 2)) {
				const line = told.slice(0, told.indexOf('\r\n'));
				if (body) continue;
				body = line === 'DATA';
				socket.write(body ? `354 go\r\n${early}\r\n` : '250 ok\r\n');
			}
		});
	});
	await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
	t.after(() => server.close());
	const email = await startEmail(t, at(server.address()));
	const soon = await send(email, { id: 'soon' });
	assert.equal(soon.outcome, 'retry', soon.reason);
	early = '550 5.7.1 no';
	const { outcome, reason } = await send(email, { id: 'no' });
	assert.equal(outcome, 'failed');
	assert.match(reason, /550 5\.7\.1 no/);
});

test('connections are kept, no more than asked for, and one that is over is found out without loss', async (t) => {
	const smtp = await startSmtp(t);
	const email = await startEmail(t, at(smtp, { connections: 3 }));
	const many = async (name, n) => {
		await Promise.all(Array.from({ length: n }, (_, i) => email.deliver({ id: `${name}${i}`, content })));
		await until(() => email.results().filter(({ id }) => id.startsWith(name)).length === n);
	};
	await many('a', 200);
	assert.ok(email.results().every(({ number }) => number === 0));
	assert.equal(new Set(smtp.messages().map(({ text }) => text.match(/X-Floorwalker-Message: (\w+)/)[1])).size, 200);
	assert.equal(smtp.messages().length, 200);
	assert.ok(smtp.connections() <= 3, `${smtp.connections()} connections`);
	// The server counts a connection as done with: 421 to the next MAIL of each.
	let told = 0;
	smtp.refuse = { mail: () => (told++ < 3 ? '421 4.7.0 enough of this one' : undefined) };
	await many('b', 30);
	assert.ok(email.results().filter(({ id }) => id.startsWith('b')).every(({ number }) => number === 0), JSON.stringify(email.results().slice(-30)));
	assert.equal(smtp.messages().length, 230);
	// Restarted in between.
	await smtp.stop();
	await smtp.start();
	await many('c', 30);
	assert.ok(email.results().filter(({ id }) => id.startsWith('c')).every(({ number }) => number === 0));
	assert.equal(smtp.messages().length, 260);
});

test('the worker does not wait for the mail server', async (t) => {
	const smtp = await startSmtp(t, { slow: { end: 1500 } });
	const email = await startEmail(t, at(smtp, { connections: 4 }));
	for (let i = 0; i < 4; i++) assert.equal((await email.deliver({ id: `m${i}`, content })).outcome, 'pending');
	await until(() => smtp.connections() === 4);
	for (let i = 0; i < 20; i++) assert.equal((await email.ask('GET', '/email/u/x')).status, 404);
	assert.equal(email.results().length, 0, 'twenty pages were served while four messages waited for their replies');
	await until(() => email.results().length === 4);
	const times = smtp.messages().map(({ at: time }) => time);
	assert.ok(Math.max(...times) - Math.min(...times) < 1400, 'they waited side by side');
});

test('more than may wait is turned away, and a worker that drains takes nothing', async (t) => {
	const smtp = await startSmtp(t, { slow: { connect: 1000 } });
	const email = await startEmail(t, at(smtp, { connections: 1 }));
	const first = await Promise.all(Array.from({ length: 1100 }, (_, i) => email.deliver({ id: `m${i}`, content: { subject: 's', text: 't' } })));
	assert.equal(first.filter(({ outcome }) => outcome === 'pending').length, 1000);
	assert.ok(first.slice(1000).every(({ outcome, reason }) => outcome === 'retry' && /too many messages wait/.test(reason)));
	email.tell({ do: 'drain' });
	assert.equal((await email.deliver({ id: 'drained', content })).outcome, 'retry');
	await until(() => email.results().length === 1000, { what: 'what was taken is delivered' });
	assert.ok(email.results().every(({ number }) => number === 0));
});

test('a connection that comes too late for a worker that drains is ended', async (t) => {
	const smtp = await startSmtp(t, { slow: { connect: ({ nth }) => (nth === 2 ? 1000 : 0) } });
	const email = await startEmail(t, at(smtp, { connections: 2 }));
	for (const id of ['m1', 'm2']) assert.equal((await email.deliver({ id, content })).outcome, 'pending');
	await until(() => smtp.connections() === 2 && email.results().length === 2);
	email.tell({ do: 'drain' });
	await until(() => smtp.open() === 1);
	await until(() => smtp.open() === 0, { seconds: 5, what: 'the second one has greeted, and is left' });
});

test('TLS and passwords: as configured, or not at all', async (t) => {
	const user = { user: 'shop', password: 'p@ss:w/rd' }, login = `shop:${encodeURIComponent(user.password)}@`;
	for (const tls of [true, 'implicit']) {
		const smtp = await startSmtp(t, { tls, auth: user });
		const url = (name) => `${tls === true ? 'smtp' : 'smtps'}://${name}127.0.0.1:${smtp.port}`, starttls = tls === true ? { starttls: 'required' } : {};
		const good = await startEmail(t, { smtp: url(login), ca: smtp.ca, ...starttls });
		assert.deepEqual(await send(good, { id: 'm1' }), { outcome: 'delivered', reason: null });
		const [message] = await smtp.waitFor(1);
		assert.deepEqual([message.secure, message.user], [true, 'shop']);
		const wrong = await startEmail(t, { smtp: url('shop:wrong@'), ca: smtp.ca, ...starttls });
		assert.equal((await send(wrong, { id: 'm2' })).outcome, 'retry');
		const stranger = await startEmail(t, { smtp: url(login), ...starttls });
		const refused = await send(stranger, { id: 'm3' });
		assert.equal(refused.outcome, 'retry');
		assert.match(refused.reason, /certificate/i);
		const nobody = await startEmail(t, { smtp: url(''), ca: smtp.ca, ...starttls });
		assert.equal((await send(nobody, { id: 'm4' })).outcome, 'retry', 'authentication required says nothing against the message');
		assert.equal(smtp.messages().length, 1);
	}
	const plain = await startSmtp(t);
	const strict = await startEmail(t, at(plain, { starttls: 'required' }));
	assert.equal((await send(strict, { id: 'm5' })).outcome, 'retry');
	const lenient = await startEmail(t, at(plain, { starttls: 'offered' }));
	assert.equal((await send(lenient, { id: 'm6' })).outcome, 'delivered');
	assert.equal(plain.messages().length, 1);
});

test('nothing gets into a header or the dialogue, and what cannot be sent says why', async (t) => {
	const smtp = await startSmtp(t);
	const email = await startEmail(t, at(smtp));
	const cases = [
		[{ content: { ...content, subject: 'a\r\nBcc: evil@mail.example' } }, /the subject has a line break/],
		[{ content: { ...content, subject: 'a\u0000b' } }, /the subject has a line break or another control/],
		[{ content: { ...content, subject: '' } }, /no "subject"/],
		[{ content: { ...content, subject: 'x'.repeat(1001) } }, /longer than 1000 bytes/],
		[{ content: { ...content, from: 'a\n <evil@mail.example>' } }, /control character/],
		[{ content: { ...content, reply_to: 'nobody' } }, /no e-mail address/],
		[{ content: { subject: 's' } }, /neither "html" nor "text"/],
		[{ to: 'a@b.example>\r\nRCPT TO:<evil@mail.example' }, /no e-mail address/],
		[{ to: 'ada lovelace@mail.example' }, /no e-mail address/],
		[{ to: '+4930123456' }, /no e-mail address/],
		[{ id: 'M/1' }, /id is not of lower-case/],
	];
	for (const [more, reason] of cases) {
		const answer = await email.deliver({ id: 'm1', content, ...more });
		assert.equal(answer.outcome, 'failed', JSON.stringify(more));
		assert.match(answer.reason, reason);
	}
	email.tell({ do: 'sign', known: false });
	assert.equal((await email.deliver({ id: 'm1', content })).outcome, 'retry');
	email.tell({ do: 'sign', known: true });
	const dots = '.\r\n.\r\nQUIT\r\n..';
	assert.equal((await send(email, { id: 'm2', class: 'service', content: { subject: 's', text: dots } })).outcome, 'delivered');
	const [message] = await smtp.waitFor(1);
	assert.equal((await readMail(message.raw)).text.trimEnd().replace(/\r?\n/g, '\r\n'), dots);
});

test('a bounce of a real Exim names the message it is about', async (t) => {
	const sink = await startSmtp(t);
	sink.refuse = { rcpt: ({ address }) => ({ 'nobody@mail.example': '550 5.1.1 no such user', 'full@mail.example': '552 5.2.2 full', 'policy@mail.example': '550 5.7.1 no' })[address] };
	const exim = await startExim(t, { smarthost: sink.port });
	const cases = { nobody: ['bounced', '5.1.1'], full: ['deferred', '5.2.2'], policy: ['failed', '5.7.1'] };
	for (const bounce_domain of ['bounce.shop.example', undefined]) {
		const email = await startEmail(t, { smtp: `smtp://127.0.0.1:${exim.port}`, ...(bounce_domain && { bounce_domain }) });
		for (const [name, [event, status]] of Object.entries(cases)) {
			const before = sink.messages().length;
			assert.equal((await send(email, { id: name, to: `${name}@mail.example` })).outcome, 'delivered', 'the relay has taken it');
			const report = (await sink.waitFor(before + 1))[before];
			assert.equal(report.from, '');
			const answer = await email.ask('POST', '/email/bounces', { headers: { 'Content-Type': 'message/rfc822' }, body: report.text });
			assert.equal(answer.status, 200);
			const told = JSON.parse(answer.body);
			assert.deepEqual([told.understood, told.message, told.event, told.status, told.recipient], [true, name, event, status, `${name}@mail.example`]);
			assert.equal(email.events(name).at(-1).name, event);
			// Nobody but us can have signed it.
			const forged = report.text.replaceAll(new RegExp(`${name}-[0-9a-f]{20}`, 'g'), `${name}-00000000000000000000`);
			assert.deepEqual(JSON.parse((await email.ask('POST', '/email/bounces', { body: forged })).body),
				{ reason: 'it cannot be told which message this is about', understood: false });
			email.tell({ do: 'store', status: 503, times: 1 });
			assert.equal((await email.ask('POST', '/email/bounces', { body: report.text })).status, 503);
		}
		assert.equal(JSON.parse((await email.ask('POST', '/email/bounces', { body: 'Subject: hello\n\nhello' })).body).understood, false);
	}
});
