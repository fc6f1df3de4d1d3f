// An HTTP proxy in front of a daemon that fails as it is told: what a client sees of a busy, restarting or unreachable
// server. Its address stays the same when the daemon's changes.

import { createServer, request } from 'node:http';

function body(stream) {
	return new Promise((done, fail) => {
		const parts = [];
		stream.on('data', (part) => parts.push(part)).on('end', () => done(Buffer.concat(parts))).on('error', fail);
	});
}

// Sends it on; null when there was no whole answer. `connected` is called when somebody is there to hear it.
function passOn(target, req, sent, connected) {
	return new Promise((done) => {
		const { hostname, port } = new URL(target);
		const onward = request({ hostname, port, method: req.method, path: req.url, headers: req.headers, agent: false }, (answer) => {
			body(answer).then((bytes) => done({ status: answer.statusCode, headers: answer.headers, bytes }), () => done(null));
		});
		onward.on('socket', (socket) => socket.on('connect', connected));
		onward.on('error', () => done(null)).end(sent);
	});
}

// Answers { url, target, plan, seen }: `target` is where requests go; `plan` is what happens to the next POSTs, one entry
// each: 'pass', 'drop' (nothing arrives), 'lose' (all is done, the answer is lost), or { status, headers }. `seen` are the
// requests so far: { method, path, headers, text, outcome, at, reached }, outcome a status or what was done, `reached` whether the target
// was there. `slow`: answers are held back for so many ms.
export async function startProxy(t, target) {
	const proxy = { target, plan: [], seen: [], slow: 0 };
	const server = createServer(async (req, res) => {
		const sent = await body(req);
		const step = req.method === 'POST' ? proxy.plan.shift() ?? 'pass' : 'pass';
		const entry = { method: req.method, path: req.url, headers: req.headers, text: sent.toString(), outcome: step, at: Date.now(), reached: false };
		proxy.seen.push(entry);
		if (step.status) {
			const origin = req.headers.origin ? { 'access-control-allow-origin': req.headers.origin, 'access-control-expose-headers': 'Retry-After' } : {};
			entry.outcome = step.status;
			res.writeHead(step.status, { ...origin, ...step.headers }).end('{}');
			return;
		}
		const answer = step === 'drop' ? null : await passOn(proxy.target, req, sent, () => { entry.reached = true; });
		if (proxy.slow) await new Promise((done) => setTimeout(done, proxy.slow));
		if (!answer || step === 'lose') {
			entry.outcome = step === 'pass' ? 'away' : step;
			req.socket.destroy();
			return;
		}
		entry.outcome = answer.status;
		const { connection, 'keep-alive': keepAlive, 'transfer-encoding': coding, ...headers } = answer.headers;
		res.writeHead(answer.status, headers).end(answer.bytes);
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	t.after(() => { server.closeAllConnections(); server.close(); });
	proxy.url = `http://127.0.0.1:${server.address().port}`;
	return proxy;
}
