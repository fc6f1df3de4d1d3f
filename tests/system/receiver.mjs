// An HTTP server that keeps what it is asked, and answers as it is told; for tests of who asks others.

import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';

// Answers { url, asked, answer, of(path) }: `asked` are the requests so far, { method, path, query, url, headers, body }; `answer` is what each
// gets, { status, headers, body }: undefined is silence. `tls`: { cert, key }. `check` is called with each, before the answer.
export async function startReceiver(t, { tls, check = () => {} } = {}) {
	const receiver = { asked: [], answer: {} };
	const take = (req, res) => {
		let body = '';
		req.setEncoding('utf8').on('data', (d) => { body += d; }).on('end', () => {
			const { pathname: path, searchParams } = new URL(req.url, 'http://127.0.0.1');
			const one = { method: req.method, path, query: Object.fromEntries(searchParams), url: req.url, headers: req.headers, body };
			receiver.asked.push(one);
			check(one);
			const { answer } = receiver;
			if (answer) res.writeHead(answer.status ?? 200, answer.headers).end(answer.body);
		});
	};
	const server = tls ? createSecureServer(tls, take) : createServer(take);
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	t.after(() => { server.closeAllConnections(); server.close(); });
	return Object.assign(receiver, { url: `http${tls ? 's' : ''}://127.0.0.1:${server.address().port}`, of: (path) => receiver.asked.filter((one) => one.path === path) });
}
