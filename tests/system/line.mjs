// A line to a server, over which bytes pass unseen, and which fails as it is told: it is cut at any byte, goes dead, is slow, or
// is not there. Its port stays the same.

import { connect, createServer } from 'node:net';

// Answers { port, cut(), cutWithin(bytes, way), refuse(on), hold(on), delay, opened }. `way` is 'up' (what the client sends) or 'down'.
export async function startLine(t, to) {
	const line = { to, delay: 0, opened: 0 };
	const open = new Set();
	let refused = false, held = false, planned;

	const cut = (pair) => {
		for (const socket of pair) {
			// One that is shut down cannot be reset: node would never let go of it.
			if (socket.connecting || socket.writableEnded) socket.destroy();
			else if (!socket.destroyed) socket.resetAndDestroy();
		}
		open.delete(pair);
	};

	// What came from one end goes to the other, up to where the line is to be cut.
	const pass = (pair, from, other, way) => {
		from.on('data', (bytes) => {
			let ends = false;
			if (planned?.way === way && (planned.bytes -= bytes.length) < 0) {
				bytes = bytes.subarray(0, bytes.length + planned.bytes);
				ends = true;
				planned.done();
				planned = undefined;
			}
			const send = () => {
				if (other.destroyed) return;
				const room = other.write(bytes, () => { if (ends) cut(pair); });
				if (!room && !ends) {
					from.pause();
					other.once('drain', () => { if (!held) from.resume(); });
				}
			};
			if (ends) from.pause();
			if (line.delay > 0) setTimeout(send, line.delay);
			else send();
		});
		from.on('error', () => cut(pair)).on('close', () => cut(pair)).on('end', () => other.end());
	};

	const server = createServer((client) => {
		if (refused || !server.listening) return client.resetAndDestroy();
		line.opened++;
		const far = connect(line.to, '127.0.0.1'), pair = [client, far];
		open.add(pair);
		pass(pair, client, far, 'up');
		pass(pair, far, client, 'down');
		if (held) pair.forEach((socket) => socket.pause());
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	t.after(() => { server.close(); open.forEach(cut); });
	Object.assign(line, {
		port: server.address().port,
		connections: () => open.size,
		cut: () => open.forEach(cut),
		// Cuts a connection when so many more bytes have passed that way, in the middle of whatever they are. Resolves when it is cut.
		cutWithin: (bytes, way = 'up') => new Promise((done) => { planned = { bytes, way, done }; }),
		// Whether whoever connects is refused; who is connected is cut.
		refuse: (on) => { refused = on; if (on) line.cut(); },
		// A dead line: nothing passes and nobody is told; what was sent passes when it is over.
		hold: (on) => { held = on; open.forEach((pair) => pair.forEach((socket) => (on ? socket.pause() : socket.resume()))); },
	});
	return line;
}
