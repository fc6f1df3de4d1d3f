// A real SMS gateway for system tests: Kannel, with the short message centre that comes with it for tests. What is sent comes out of
// that, and what a phone says goes in.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder, until, writeFiles } from './daemon.mjs';
import { freePort, of, startPeer } from './peers.mjs';

const centre = '/usr/lib/kannel/test/fakesmsc';

// One centre takes what is sent; the other is there for what phones say, each time for as long as it takes.
const configuration = ({ folder, ports, username, password, inUrl }) => `group = core
admin-port = ${ports.admin}
admin-interface = "127.0.0.1"
admin-password = admin
status-password = status
smsbox-port = ${ports.box}
smsbox-interface = "127.0.0.1"
box-allow-ip = "127.0.0.1"
box-deny-ip = "*.*.*.*"
log-file = "${folder}/bearerbox.log"
log-level = 1
store-type = file
store-location = "${folder}/kannel.store"
dlr-storage = internal
sms-resend-freq = 1

group = smsc
smsc = fake
smsc-id = OUT
host = 127.0.0.1
port = ${ports.out}
connect-allow-ip = "127.0.0.1"

group = smsc
smsc = fake
smsc-id = IN
host = 127.0.0.1
port = ${ports.in}
connect-allow-ip = "127.0.0.1"
allowed-prefix = "none"

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = ${ports.send}
sendsms-interface = "127.0.0.1"
sendsms-chars = "0123456789 +-"
log-file = "${folder}/smsbox.log"
log-level = 1
mo-recode = true
http-request-retry = 10
http-queue-delay = 1

group = sendsms-user
username = ${username}
password = ${password}
user-allow-ip = "127.0.0.1"
max-messages = 10
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "${inUrl}"
`;

// Whether somebody listens there, without a connection, which would be a box's (proc(5): 0A is LISTEN).
const isListening = (port) => ['tcp', 'tcp6'].some((name) => new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} [0-9A-F]+:0000 0A `).test(readFileSync(`/proc/net/${name}`, 'utf8')));

// Starts it on free ports of loopback. `inUrl` is where what a phone says goes, by default none takes it; it may have Kannel's %-signs
// (%p who says it, %P to whom, %a the text, %I an id).
// Answers { url, username, password, status(), delivered(), waitFor(n), say(from, to, text), signal(name), stop(), kill(), start() }: `url` is where
// sendsms is; delivered() what has come out, { from, to, kind, text }; kill() ends all of it at once, start() begins again with
// what it had on its disk. delivered() may lack something while it is being ended.
export async function startKannel(t, { inUrl = 'http://127.0.0.1:1/?from=%p&to=%P&text=%a&id=%I' } = {}) {
	const ports = { admin: 0, box: 0, out: 0, in: 0, send: 0 };
	const folder = join(temporaryFolder(t), 'kannel'), config = join(folder, 'kannel.conf');
	const kannel = { username: 'tester', password: 'secret' };
	mkdirSync(folder);
	let peers = [], before = '';
	const moveTo = async () => {
		for (const name of Object.keys(ports)) ports[name] = await freePort();
		kannel.url = `http://127.0.0.1:${ports.send}/cgi-bin/sendsms`;
		writeFiles(folder, { 'kannel.conf': configuration({ folder, ports, inUrl, ...kannel }) });
	};

	const status = () => fetch(`http://127.0.0.1:${ports.admin}/status.txt?password=status`).then((answer) => answer.text(), () => '');
	const isOnline = async (id) => new RegExp(`^ *${id}\\[${id}\\] .*\\(online`, 'm').test(await status());
	const end = async (signal) => {
		const [gateway, box, out] = peers;
		peers = [];
		// The message centre ends when the gateway does, and has then read what that had sent it.
		await Promise.all([box, gateway].map((peer) => peer?.stop(signal)));
		await Promise.race([out?.closed, new Promise((done) => setTimeout(done, 500))]);
		await out?.stop(signal);
		await out?.closed;
		before += out?.output() ?? '';
	};
	Object.assign(kannel, {
		status,
		delivered: () => [...(before + (peers[2]?.output() ?? '')).matchAll(/Got message \d+: <(\S+) (\S+) (\S+) ([^]*?)>\n/g)]
			.map(([, from, to, kind, text]) => ({ from, to, kind, text: Buffer.from(text, 'latin1').toString() })),
		waitFor: (n, more) => until(() => kannel.delivered().length >= n && kannel.delivered(), { what: `${n} texts have come out`, ...more }),
		say: async (from, to, text) => {
			const received = async () => Number((await status()).match(/^SMS: received (\d+)/m)?.[1] ?? NaN);
			const had = await received();
			const phone = startPeer(centre, ['-H', '127.0.0.1', '-r', String(ports.in), '-m', '1', '-i', '0.01', `${from} ${to} text ${text}`]);
			try {
				await until(of(phone, async () => /sent message 1/.test(phone.output()) && await received() > had), { what: 'the gateway has heard it' });
			} finally { await phone.stop('SIGKILL'); }
			await until(async () => !await isOnline('IN'), { what: 'the gateway has hung up' });
		},
		start: async () => {
			peers = [startPeer('/usr/sbin/bearerbox', ['-v', '4', config])];
			const [gateway] = peers;
			// It says that it runs before it listens for a box, which gives up at the first refusal.
			await until(of(gateway, async () => /running/.test(await status()) && isListening(ports.box)), { what: 'bearerbox runs' });
			peers.push(startPeer('/usr/sbin/smsbox', ['-v', '4', config]));
			// It listens before it knows its users, and a request then ends it; it knows them when it has come to the gateway.
			await until(of(peers[1], async () => /smsbox:.*on-line/.test(await status())), { what: 'smsbox has come to the gateway' });
			await until(of(peers[1], () => fetch(kannel.url).then(() => true, () => false)), { what: 'smsbox answers' });
			peers.push(startPeer(centre, ['-H', '127.0.0.1', '-r', String(ports.out), '-m', '0', '-i', '60', '1 2 text none']));
			await until(of(peers[2], () => isOnline('OUT')), { what: 'the message centre is connected' });
		},
		signal: (name) => peers.forEach((peer) => peer.signal(name)),
		stop: () => end('SIGTERM'),
		kill: () => end('SIGKILL'),
	});
	t.after(() => end('SIGKILL'));
	// A port that was free may be another test's by now: then others are taken.
	for (let left = 5; ; left--) {
		await moveTo();
		try {
			await kannel.start();
			return kannel;
		} catch (error) {
			if (left === 0 || !/SMSC connection failing|Address already in use/.test(error.message)) throw error;
			await end('SIGKILL');
		}
	}
}
