// A mail server for system tests: it takes what it is sent and goes wrong as a test asks. Below it is npm's smtp-server.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { temporaryFolder, until, wholeLines } from './daemon.mjs';
import { freePort, of, startPeer } from './peers.mjs';
import { makeCertificates } from './redis.mjs';

// A message taken apart by somebody else than us.
export const readMail = (raw) => simpleParser(raw);

// Starts it on a free port of loopback. `refuse`, `slow` and `drop` say by step what goes wrong there; they may be set anew at any time. A
// step is "connect", "mail", "rcpt", "data" (before the message) or "end" (after it, before the answer). `refuse` has a reply ("550 5.1.1
// who?"), `slow` milliseconds, `drop` true: the connection ends without an answer, and at "end" the message is kept all the same. Each may
// be a function of { address, from, to, nth, user }, where `nth` counts how often that step was reached, from 1.
// `tls`: true for STARTTLS, "implicit" for a connection that begins with it; `ca` is then who signed. `auth`: { user, password }, without
// which nothing is taken. `port`: it listens there. `whole` is told of each message as soon as it is whole, before the answer.
// Answers { port, ca, messages(), waitFor(n), connections(), open(), stop(), start() }: connections() were made, open() are still there;
// a message is { from, to: [], raw, text, helo, secure, user,
// session, at }. stop() cuts all connections, start() listens on the same port again.
export async function startSmtp(t, { refuse = {}, slow = {}, drop = {}, tls = false, auth, port = 0, whole = () => {} } = {}) {
	const kept = [], reached = {};
	const files = tls && await makeCertificates(temporaryFolder(t));
	const smtp = { refuse, slow, drop, ca: files?.ca, port };
	let server, connected = 0;

	const said = (faults, step, about) => (typeof faults[step] === 'function' ? faults[step](about) : faults[step]);
	const cut = (session) => {
		for (const connection of server.connections) if (connection.session.id === session.id) connection._socket.destroy();
		return new Promise(() => {});
	};
	async function at(step, session, more = {}) {
		reached[step] = (reached[step] ?? 0) + 1;
		const { mailFrom, rcptTo } = session.envelope ?? {};
		const about = { from: mailFrom?.address, to: rcptTo?.map(({ address }) => address), user: session.user, nth: reached[step], ...more };
		const ms = said(smtp.slow, step, about);
		if (ms) await new Promise((done) => setTimeout(done, ms));
		if (said(smtp.drop, step, about)) {
			more.keep?.();
			await cut(session);
		}
		const reply = said(smtp.refuse, step, about);
		if (reply) throw Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) });
	}
	const answer = (work, done) => work.then(() => done(), done);

	async function take(stream, session) {
		await at('data', session);
		const parts = [];
		for await (const part of stream) parts.push(part);
		const raw = Buffer.concat(parts), { mailFrom, rcptTo } = session.envelope;
		const message = {
			from: mailFrom.address ?? '', to: rcptTo.map(({ address }) => address), raw, text: raw.toString(),
			helo: session.hostNameAppearsAs, secure: session.secure, user: session.user, session: session.id, at: Date.now(),
		};
		const keep = () => kept.push(message);
		whole(message);
		await at('end', session, { keep });
		keep();
	}

	const options = {
		name: 'sink.test', banner: 'ready', logger: false, allowInsecureAuth: true, authOptional: !auth, secure: tls === 'implicit',
		disabledCommands: [...(tls === true ? [] : ['STARTTLS']), ...(auth ? [] : ['AUTH'])],
		...(files && { key: readFileSync(files.key), cert: readFileSync(files.cert) }),
		onConnect: (session, done) => { connected++; answer(at('connect', session), done); },
		onAuth: ({ username, password }, session, done) => (username === auth.user && password === auth.password ? done(null, { user: username })
			: done(Object.assign(new Error('5.7.8 not you'), { responseCode: 535 }))),
		onMailFrom: ({ address }, session, done) => answer(at('mail', session, { address }), done),
		onRcptTo: ({ address }, session, done) => answer(at('rcpt', session, { address }), done),
		onData: (stream, session, done) => answer(take(stream, session), done),
	};

	Object.assign(smtp, {
		messages: () => [...kept],
		waitFor: (n, more) => until(() => kept.length >= n && [...kept], { what: `${n} messages have arrived`, ...more }),
		connections: () => connected,
		open: () => server.connections.size,
		start: () => new Promise((done, fail) => {
			server = new SMTPServer({ ...options, closeTimeout: 1 });
			server.on('error', (error) => (smtp.listens ? undefined : fail(error))); // a client that is cut off is none
			server.listen(smtp.port, '127.0.0.1', () => {
				smtp.port = server.server.address().port;
				smtp.listens = true;
				done();
			});
		}),
		stop: () => new Promise((done) => {
			if (!smtp.listens) return void done();
			smtp.listens = false;
			server.close(done);
			for (const connection of server.connections) connection._socket.destroy();
		}),
	});
	t.after(() => smtp.stop());
	await smtp.start();
	return smtp;
}

// The same in a process of its own, whose messages outlive it: each is known once it is whole, and answered `slow` ms later.
// Answers { port, messages(), signal(name), kill(), start() }; a message is { to, id, at }, `id` its X-Floorwalker-Message.
export async function startSmtpAside(t, { slow = 0 } = {}) {
	const file = join(temporaryFolder(t), 'messages'), smtp = { port: await freePort() };
	let peer;
	Object.assign(smtp, {
		messages: () => (existsSync(file) ? wholeLines(readFileSync(file, 'utf8')).map((line) => JSON.parse(line)) : []),
		signal: (name) => peer.signal(name),
		kill: () => peer.stop('SIGKILL'),
		start: async () => {
			peer = startPeer(process.execPath, [fileURLToPath(new URL('./smtp_aside.mjs', import.meta.url)), String(smtp.port), file, String(slow)]);
			await until(of(peer, () => peer.output().includes('listens')), { what: 'the mail server listens' });
		},
	});
	t.after(() => smtp.kill());
	await smtp.start();
	return smtp;
}
