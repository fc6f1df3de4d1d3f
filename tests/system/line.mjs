// A line to a server, over which bytes pass unseen, and which fails as it is told: it is cut at any byte, goes dead, is slow, or
// is not there. Its port stays the same.

import { connect, createServer } from 'node:net';

// How many whole values of Redis's protocol have passed: commands one way, their answers the other.
function countValues() {
	let held = Buffer.alloc(0), n = 0;
	// Where the value ends that begins there; -1: later.
	const endOf = (at) => {
		const line = held.indexOf('\r\n', at), kind = String.fromCharCode(held[at]), size = Number(held.subarray(at + 1, line));
		if (line < 0) return -1;
		let end = line + 2;
		if (kind === '$' && size >= 0) end += size + 2;
		for (let i = 0; kind === '*' && i < size && end >= 0; i++) end = endOf(end);
		return end <= held.length ? end : -1;
	};
	return (bytes) => {
		held = Buffer.concat([held, bytes]);
		for (let end; held.length > 0 && (end = endOf(0)) >= 0; n++) held = held.subarray(end);
		return n;
	};
}

// Answers { port, cut(), cutWithin(bytes, way), cutUnanswered(asks), refuse(on), hold(on), delay, opened }. `way` is 'up' (what the client
// sends) or 'down'. `redis`: what passes is looked at, for cutUnanswered.
export async function startLine(t, to, { redis = false } = {}) {
	const line = { to, delay: 0, opened: 0 };
	const open = new Set();
	let refused = false, held = false, planned, unanswered;

	const cut = (pair) => {
		if (unanswered?.pair === pair) unanswered.pair = undefined; // by somebody else
		for (const socket of pair) {
			// One that is shut down cannot be reset: node would never let go of it.
			if (socket.connecting || socket.writableEnded) socket.destroy();
			else if (!socket.destroyed) socket.resetAndDestroy();
		}
		open.delete(pair);
	};

	// What came from one end goes to the other, up to where the line is to be cut.
	const pass = (pair, from, other, way) => {
		const count = redis ? countValues() : () => 0;
		from.on('data', (bytes) => {
			const passed = count(bytes);
			let ends = false;
			if (unanswered && !unanswered.pair && way === 'up' && unanswered.asks(bytes)) {
				unanswered.pair = pair;
				unanswered.after = passed;
			} else if (unanswered?.pair === pair && way === 'down') { // the server has done what it was told once it answers
				if (passed < unanswered.after) return;
				unanswered.done();
				unanswered = undefined;
				cut(pair);
				return;
			}
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
		// Cuts a connection when the server has answered what `asks(bytes)` finds to be asked, and before any of that answer has passed.
		// Resolves when it is cut.
		cutUnanswered: (asks) => new Promise((done) => { unanswered = { asks, done }; }),
		// Whether whoever connects is refused; who is connected is cut.
		refuse: (on) => { refused = on; if (on) line.cut(); },
		// A dead line: nothing passes and nobody is told; what was sent passes when it is over.
		hold: (on) => { held = on; open.forEach((pair) => pair.forEach((socket) => (on ? socket.pause() : socket.resume()))); },
	});
	return line;
}
