// Redis for system tests: real servers and clusters of them, in folders of the test's own and on free ports. What a test starts
// here outlives its daemons and ends with it.

import { execFile, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stopDaemons, temporaryFolder, until } from './daemon.mjs';
import { freePort } from './peers.mjs';

export const slots = 16384;

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

// Runs a command: { status, text }.
function command(name, args, { env = {} } = {}) {
	return new Promise((done) => {
		execFile(name, args, { env: { ...process.env, ...env }, maxBuffer: 1 << 28 }, (error, stdout, stderr) => done({ status: error ? error.code : 0, text: stdout + stderr })).stdin.end();
	});
}

async function certainly(name, args, options) {
	const { status, text } = await command(name, args, options);
	if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${status}\n${text}`);
	return text;
}

// A CA of its own, and a certificate for 127.0.0.1 that it signed: { ca, cert, key }, paths.
export async function makeCertificates(folder) {
	const [ca, caKey, cert, key] = ['ca.crt', 'ca.key', 'server.crt', 'server.key'].map((name) => join(folder, name));
	const ec = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
	await certainly('openssl', [...ec, '-subj', '/CN=test CA', '-keyout', caKey, '-out', ca]);
	await certainly('openssl', [...ec, '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE',
		'-CA', ca, '-CAkey', caKey, '-keyout', key, '-out', cert]);
	return { ca, cert, key };
}

// A server that does not run yet. Its `announced` is the port that clients and other nodes of a cluster are told: its own, or of a
// line before it.
async function makeServer(folder, { password, tls, appendonly = true, cluster = false, args = [] } = {}) {
	mkdirSync(folder, { recursive: true });
	const server = { folder, socket: join(folder, 's'), port: await freePort(), password, tls, child: undefined, paused: false };
	server.announced = server.port;
	const bus = cluster ? await freePort() : undefined, secret = { env: password ? { REDISCLI_AUTH: password } : {} };
	const given = () => ['--bind', '127.0.0.1', '--save', '', '--dir', folder, '--unixsocket', server.socket, '--logfile', 'log', ...(appendonly ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']),
		'--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1',
		...(tls ? ['--port', '0', '--tls-port', server.port, '--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-ca-cert-file', tls.ca, '--tls-auth-clients', 'no', '--tls-cluster', 'yes', '--tls-replication', 'yes'] : ['--port', server.port]),
		...(password ? ['--requirepass', password, '--masterauth', password, '--user', 'shop', 'on', `>${password}`, '~*', '&*', '+@all'] : []),
		...(cluster ? ['--cluster-enabled', 'yes', '--cluster-port', bus, '--cluster-node-timeout', '1000', '--cluster-allow-replica-migration', 'no'] : []),
		...(server.announced !== server.port ? ['--cluster-announce-ip', '127.0.0.1', '--cluster-announce-port', server.announced, '--cluster-announce-bus-port', bus] : []), ...args].map(String);
	Object.assign(server, {
		bus,
		// Asks it: the answer, as JSON tells it; what is refused is thrown.
		ask: async (...words) => {
			const text = await certainly('redis-cli', ['-s', server.socket, '--json', '-e', ...words.map(String)], secret);
			try { return JSON.parse(text); } catch { return text; }
		},
		answers: () => server.child !== undefined && !server.paused,
		// Starts it, also again with what is on its disk.
		start: async () => {
			rmSync(server.socket, { force: true });
			const child = spawn('redis-server', given(), { stdio: 'ignore' });
			let over;
			server.ended = new Promise((done) => child.on('error', (error) => done(over = error.message)).on('exit', (code, signal) => { running.delete(child); done(over = signal ?? code); }));
			child.unref(); // whoever forgets it is not kept from ending
			running.add(child);
			server.child = child;
			await until(async () => {
				if (over !== undefined) throw new Error(`redis-server ended: ${over}; see ${folder}/log`);
				return /PONG/.test((await command('redis-cli', ['-s', server.socket, 'PING'], secret)).text);
			}, { what: 'redis-server answers' });
			if (cluster) server.id = await server.ask('CLUSTER', 'MYID');
		},
		stop: async (signal = 'SIGKILL') => {
			const { child } = server;
			if (!child) return;
			server.child = undefined;
			server.paused = false;
			child.ref();
			child.kill(signal);
			child.kill('SIGCONT');
			await server.ended;
		},
		// Nothing is answered meanwhile, and connections stay open.
		pause: () => { server.paused = true; server.child.kill('SIGSTOP'); },
		resume: () => { server.paused = false; server.child.kill('SIGCONT'); },
		url: (rest = '') => `redis${tls ? 's' : ''}://${password ? `shop:${encodeURIComponent(password)}@` : ''}127.0.0.1:${server.port}${rest}${tls ? `?ca=${tls.ca}` : ''}`,
		unixUrl: () => `redis+unix:${server.socket}`,
	});
	return server;
}

// A server that runs. Options: `password` (of the default user and of "shop"), `tls` (true), `appendonly` (what is acknowledged outlives
// the process; default), `args` (more arguments). Answers { port, socket, ask, start, stop(signal), pause, resume, url, unixUrl }.
export async function startRedis(t, options = {}) {
	const folder = options.folder ?? temporaryFolder(t);
	const server = await makeServer(folder, { ...options, tls: options.tls && await makeCertificates(folder) });
	t.after(async () => { await stopDaemons(); await server.stop(); });
	await server.start();
	return server;
}

// Who serves each slot in the eyes of a node: [server, …]; undefined when it is not served, or its primary lacks replicas.
async function seenBy(nodes, node, replicas) {
	const owners = new Array(slots).fill(undefined);
	const ranges = await node.ask('CLUSTER', 'SLOTS').catch(() => []);
	for (const [from, to, [, , id], ...more] of ranges) owners.fill(more.length >= replicas ? nodes.find((n) => n.id === id) : undefined, from, to + 1);
	return owners;
}

// Three primaries and three replicas. Options as of startRedis, and `line`: async (port) => the port of a line to it, over which
// clients come, and replicas. Without `t` whoever asks for it ends it.
export async function startCluster(t, { folder = temporaryFolder(t), line, ...options } = {}) {
	const tls = options.tls && await makeCertificates(folder);
	const asClient = tls ? ['--tls', '--cacert', tls.ca] : [], secret = { env: options.password ? { REDISCLI_AUTH: options.password } : {} };
	const cluster = { nodes: [], over: false };
	const make = async () => {
		const server = await makeServer(join(folder, `node-${cluster.nodes.length}`), { ...options, tls, cluster: true });
		if (line) server.announced = await line(server.port);
		await server.start();
		if (cluster.over) await server.stop();
		cluster.nodes.push(server);
		return server;
	};
	const asked = () => cluster.nodes.filter((node) => node.answers());
	Object.assign(cluster, {
		url: () => `redis${tls ? 's' : ''}-cluster://${options.password ? `shop:${encodeURIComponent(options.password)}@` : ''}${cluster.nodes.slice(0, 2).map(({ announced }) => `127.0.0.1:${announced}`).join(',')}${tls ? `?ca=${tls.ca}` : ''}`,
		stop: () => { cluster.over = true; return Promise.all(cluster.nodes.map((node) => node.stop())); },
		// Waits until all nodes that answer see the same, all slots are served and each primary has so many replicas that follow it.
		settle: async (replicas = 1) => until(async () => {
			let first;
			for (const node of asked()) {
				const owners = await seenBy(cluster.nodes, node, replicas);
				first ??= owners;
				if (owners.some((owner, i) => !owner || owner !== first[i])) return false;
				if (!/^cluster_state:ok/m.test(await node.ask('CLUSTER', 'INFO')) || /^master_link_status:down/m.test(await node.ask('INFO', 'replication'))) return false;
			}
			return true;
		}, { what: 'the cluster is settled', seconds: 60 }),
		primaryOf: (slot) => until(async () => {
			for (const node of asked()) {
				const owner = (await seenBy(cluster.nodes, node, 0))[slot];
				if (owner) return owner;
			}
			return false;
		}, { what: `slot ${slot} is served` }),
		primaries: async () => {
			const roles = await Promise.all(asked().map(async (node) => [node, (await node.ask('ROLE'))[0]]));
			return roles.filter(([, role]) => role === 'master').map(([node]) => node);
		},
		replicaOf: async (primary) => {
			for (const node of asked()) {
				const [role, , port] = await node.ask('ROLE');
				if (role === 'slave' && port === primary.announced) return node;
			}
			throw new Error('it has no replica');
		},
		// Waits until another node than this serves the slot.
		succeeded: (slot, old) => until(async () => {
			const owners = await Promise.all(asked().filter((node) => node !== old).map(async (node) => (await seenBy(cluster.nodes, node, 0))[slot]));
			return owners.every((owner) => owner && owner !== old) && owners[0];
		}, { what: 'a replica is promoted', seconds: 60 }),
		// The primary of the slot and its replica change places, in agreement.
		failover: async (slot) => {
			const old = await cluster.primaryOf(slot);
			await (await cluster.replicaOf(old)).ask('CLUSTER', 'FAILOVER');
			return cluster.succeeded(slot, old);
		},
		// Moves so many slots, with what is in them, from one primary to another, as an operator does.
		move: async (count, from, to) => {
			await certainly('redis-cli', ['--cluster', 'reshard', `127.0.0.1:${to.port}`, '--cluster-from', from.id, '--cluster-to', to.id, '--cluster-slots', String(count), '--cluster-yes', ...asClient], secret);
			await cluster.settle(0);
		},
		// One more primary, with a replica, which serves no slot yet.
		add: async () => {
			const [known] = asked(), node = await make(), replica = await make();
			for (const one of [node, replica]) await known.ask('CLUSTER', 'MEET', '127.0.0.1', one.port, one.bus);
			await until(async () => (await Promise.all(asked().map((n) => n.ask('CLUSTER', 'INFO')))).every((text) => text.includes(`cluster_known_nodes:${cluster.nodes.length}`)), { what: 'all know the nodes' });
			await replica.ask('CLUSTER', 'REPLICATE', node.id);
			await until(async () => /^master_link_status:up/m.test(await replica.ask('INFO', 'replication')), { what: 'the replica follows' });
			await cluster.settle(0);
			return node;
		},
		// Empties it.
		flush: async () => { for (const node of await cluster.primaries()) await node.ask('FLUSHALL'); },
	});
	if (t) t.after(async () => { await stopDaemons(); await cluster.stop(); });
	for (let i = 0; i < 6; i++) await make();
	await certainly('redis-cli', ['--cluster', 'create', ...cluster.nodes.map(({ port }) => `127.0.0.1:${port}`), '--cluster-replicas', '1', '--cluster-yes', ...asClient], secret);
	await cluster.settle();
	return cluster;
}
