// The real peers that other tests work with, each shown to do what those rely on: mail goes through Exim to a sink and comes back as a
// bounce, texts go out through Kannel and are reported, phones are heard; and what goes wrong on purpose does.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test from 'node:test';
import { until } from './daemon.mjs';
import { startExim } from './exim.mjs';
import { startKannel } from './kannel.mjs';
import { startReceiver } from './receiver.mjs';
import { readMail, startSmtp } from './smtp.mjs';

const mail = (to, subject = 'Your cart') => `From: Shop <hello@shop.example>\r\nTo: ${to}\r\nSubject: ${subject}\r\nMessage-ID: <m1@shop.example>\r\n\r\nIt is still there.\r\n`;

// curl is the client: { status, said }.
function send(port, from, to, { more = [], scheme = 'smtp', text = mail(to) } = {}) {
	const child = spawn('curl', ['-sS', '--max-time', '10', '--url', `${scheme}://127.0.0.1:${port}/client.test`, '--mail-from', from, '--mail-rcpt', to, '--upload-file', '-', ...more]);
	let said = '';
	child.stderr.setEncoding('utf8').on('data', (data) => { said += data; });
	child.stdin.end(text);
	return new Promise((done) => child.on('close', (status) => done({ status, said })));
}

test('a mail arrives at the sink as it was sent', async (t) => {
	const smtp = await startSmtp(t);
	assert.deepEqual(await send(smtp.port, 'b+1@bounce.example', 'ann@shop.example'), { status: 0, said: '' });
	const [message] = await smtp.waitFor(1);
	assert.deepEqual({ ...message, raw: undefined, session: undefined, at: undefined }, { from: 'b+1@bounce.example', to: ['ann@shop.example'], text: mail('ann@shop.example'), helo: 'client.test', secure: false, user: undefined, raw: undefined, session: undefined, at: undefined });
	assert.equal((await readMail(message.raw)).subject, 'Your cart');
});

test('the sink refuses, is slow and hangs up as it is told', async (t) => {
	const smtp = await startSmtp(t);
	const sends = (to = 'ann@shop.example') => send(smtp.port, 'b@bounce.example', to);
	smtp.refuse = { rcpt: ({ address }) => address.startsWith('no') && '550 5.1.1 no such user' };
	assert.match((await sends('nobody@shop.example')).said, /550/);
	assert.equal((await sends()).status, 0);
	for (const step of ['connect', 'mail', 'rcpt', 'end']) {
		smtp.refuse = { [step]: '451 4.3.0 later' };
		assert.notEqual((await sends()).status, 0, step);
	}
	smtp.refuse = {};
	for (const step of ['connect', 'mail', 'rcpt', 'data']) {
		smtp.drop = { [step]: true };
		assert.notEqual((await sends()).status, 0, step);
	}
	assert.equal(smtp.messages().length, 1);
	// The answer is lost, not the message.
	smtp.drop = { end: true };
	assert.notEqual((await sends()).status, 0);
	assert.equal((await smtp.waitFor(2)).length, 2);
	smtp.drop = {};
	smtp.slow = { rcpt: 300 };
	const begun = Date.now();
	assert.equal((await sends()).status, 0);
	assert.ok(Date.now() - begun >= 300);
	await smtp.stop();
	assert.match((await sends()).said, /connect/);
	smtp.slow = {};
	await smtp.start();
	assert.equal((await sends()).status, 0);
	assert.equal(smtp.messages().length, 4);
});

test('the sink asks for TLS and a password', async (t) => {
	const smtp = await startSmtp(t, { tls: true, auth: { user: 'ann', password: 's3cret' } });
	const sends = (...more) => send(smtp.port, 'b@bounce.example', 'bob@shop.example', { more });
	assert.notEqual((await sends('--ssl-reqd', '--cacert', smtp.ca)).status, 0);
	assert.notEqual((await sends('--ssl-reqd', '--user', 'ann:s3cret')).status, 0); // nobody knows who signed
	assert.notEqual((await sends('--ssl-reqd', '--cacert', smtp.ca, '--user', 'ann:wrong')).status, 0);
	assert.equal((await sends('--ssl-reqd', '--cacert', smtp.ca, '--user', 'ann:s3cret')).status, 0);
	const [message] = smtp.messages();
	assert.equal(smtp.messages().length, 1);
	assert.deepEqual([message.secure, message.user], [true, 'ann']);
	const implicit = await startSmtp(t, { tls: 'implicit' });
	assert.equal((await send(implicit.port, 'b@bounce.example', 'bob@shop.example', { scheme: 'smtps', more: ['--cacert', implicit.ca] })).status, 0);
});

test('Exim passes mail on, tries again, and bounces what is refused', async (t) => {
	const smtp = await startSmtp(t, { refuse: { rcpt: ({ address, nth }) => (address.startsWith('nobody') && '550 5.1.1 no such user') || (address.startsWith('busy') && nth < 3 && '451 4.3.0 later') } });
	const exim = await startExim(t, { smarthost: smtp.port });
	assert.equal((await send(exim.port, 'b+7@bounce.example', 'nobody@shop.example')).status, 0);
	const [dsn] = await smtp.waitFor(1);
	assert.deepEqual([dsn.from, dsn.to], ['', ['b+7@bounce.example']]);
	assert.match(dsn.text, /^Content-Type: multipart\/report; report-type=delivery-status/m);
	assert.match(dsn.text, /^Diagnostic-Code: smtp; 550 5\.1\.1 no such user/m);
	assert.match(dsn.text, /^Message-ID: <m1@shop\.example>/m);
	assert.equal((await send(exim.port, 'b+8@bounce.example', 'busy@shop.example')).status, 0);
	assert.deepEqual((await smtp.waitFor(2))[1].to, ['busy@shop.example']);
	await until(() => exim.queued() === 0, { what: 'nothing waits' });
	// What it has taken outlives it.
	await smtp.stop();
	assert.equal((await send(exim.port, 'b+9@bounce.example', 'ann@shop.example')).status, 0);
	await exim.stop('SIGKILL');
	assert.equal(exim.queued(), 1);
	await smtp.start();
	await exim.start();
	assert.deepEqual((await smtp.waitFor(3))[2].to, ['ann@shop.example']);
});

test('Kannel sends, reports and hears', async (t) => {
	const web = await startReceiver(t);
	const kannel = await startKannel(t, { inUrl: `${web.url}/mo?from=%p&to=%P&text=%a&id=%I` });
	const { username, password } = kannel;
	const sends = async (to, text, more = {}) => (await fetch(`${kannel.url}?${new URLSearchParams({ username, password, from: '15559998888', to, text, charset: 'UTF-8', ...more })}`)).text();
	assert.equal(await sends('+15550001111', 'Grüße & more', { 'dlr-mask': 31, 'dlr-url': `${web.url}/dlr?message=7&type=%d` }), '0: Accepted for delivery');
	assert.deepEqual(await kannel.waitFor(1), [{ from: '15559998888', to: '+15550001111', kind: 'text', text: 'Grüße & more' }]);
	await until(() => web.of('/dlr').some(({ query }) => query.type === '1'), { what: 'it is reported as delivered' });
	assert.ok(web.of('/dlr').every(({ query }) => query.message === '7'));
	assert.match(await sends('+15550001111', 'x', { password: 'wrong' }), /Authorization failed/);
	await kannel.say('15550001111', '15559998888', 'STOP, bitte! Grüße');
	await until(() => web.of('/mo').length === 1, { what: 'it is heard' });
	const [{ query: { from, to, text } }] = web.of('/mo');
	assert.deepEqual({ from, to, text }, { from: '15550001111', to: '15559998888', text: 'STOP, bitte! Grüße' });
	await kannel.kill();
	await assert.rejects(sends('+15550001111', 'again'));
	await kannel.start();
	assert.match(await sends('+15550001111', 'again'), /^0: /);
	assert.equal((await kannel.waitFor(2))[1].text, 'again');
	await kannel.say('15550001111', '15559998888', 'START');
	await until(() => web.of('/mo').length === 2, { what: 'it is heard again' });
});
