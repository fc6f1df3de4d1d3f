// A real mail relay for system tests: Exim, with all that it has in a folder of the test's. It takes whatever comes from loopback, passes
// it to one server, tries again every second what that defers, and tells the sender of what that refuses, as relays do.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './daemon.mjs';
import { freePort, of, startPeer } from './peers.mjs';

const configuration = ({ folder, port, smarthost, host, settings }) => `primary_hostname = ${host}
qualify_domain = ${host}
spool_directory = ${folder}/spool
log_file_path = ${folder}/spool/%slog
pid_file_path = ${folder}/spool/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
tls_advertise_hosts =
acl_smtp_rcpt = accept
acl_smtp_data = accept
host_lookup =
rfc1413_query_timeout = 0s
message_logs = false
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
${settings}
begin routers
all:
  driver = manualroute
  transport = remote_smtp
  route_list = * 127.0.0.1 byname
  self = send
begin transports
remote_smtp:
  driver = smtp
  port = ${smarthost}
  allow_localhost
  hosts_avoid_tls = *
begin retry
* * F,1h,1s
`;

// Every process that was started with the configuration: Exim's own children go their ways.
function family(config) {
	return readdirSync('/proc').filter((pid) => {
		try { return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(config); } catch { return false; }
	}).map(Number);
}

const greets = (port) => new Promise((done) => {
	const socket = connect(port, '127.0.0.1').on('error', () => done(false)).on('data', (data) => { socket.destroy(); done(/^220/.test(data)); });
});

// Starts it on a free port of loopback. `smarthost` is the port of the server that takes what it passes on, `host` its own name, `settings`
// more lines of its main configuration. Answers { port, log(), queued(), stop(signal), start() }: queued() is how many messages wait,
// stop("SIGKILL") ends it in the middle of whatever it does, start() begins again with the same queue.
export async function startExim(t, { smarthost, host = 'mx.test', settings = '' }) {
	if (process.getuid() !== 0) throw new Error('Exim takes a configuration of somebody else\'s from root only: run this test as root');
	// Exim works as a user of its own, who must be able to reach its spool.
	const folder = mkdtempSync(join(tmpdir(), 'fw-exim-')), spool = join(folder, 'spool'), config = join(folder, 'exim.conf');
	const id = (flag) => Number(execFileSync('id', [flag, 'Debian-exim'], { encoding: 'utf8' }));
	const exim = { port: await freePort() };
	chmodSync(folder, 0o755);
	mkdirSync(spool);
	chownSync(spool, id('-u'), id('-g'));
	writeFileSync(config, configuration({ folder, port: exim.port, smarthost, host, settings }), { mode: 0o644 });
	let peer;
	Object.assign(exim, {
		log: () => {
			try { return readFileSync(join(spool, 'mainlog'), 'utf8'); } catch { return ''; }
		},
		queued: () => readdirSync(join(spool, 'input')).filter((name) => name.endsWith('-H')).length,
		start: async () => {
			peer = startPeer('exim4', ['-C', config, '-bdf', '-q1s']);
			await until(of(peer, () => greets(exim.port)), { what: 'Exim greets' });
		},
		stop: async (signal = 'SIGTERM') => {
			await peer.stop(signal);
			await until(() => {
				const left = family(config);
				for (const pid of left) {
					try { process.kill(pid, 'SIGKILL'); } catch { /* it has ended */ }
				}
				return left.length === 0;
			}, { what: 'all of Exim has ended' });
		},
	});
	t.after(async () => {
		if (peer) await exim.stop();
		rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
	});
	await exim.start();
	return exim;
}
