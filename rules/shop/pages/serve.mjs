// Stands in for the shop's own web server, on this machine: hands out the pages of this folder and hands /v1/ on to
// floorwalker, so that the agent's view is of one origin with it.
//
//   node serve.mjs FLOORWALKER [ADDRESS:PORT]        FW_WRITE_KEY, FW_API: what is written into the preference page
//
// It adds no X-Forwarded-For: who asks it is this machine. A real one does, and is listed in `proxies`.

import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';

const files = {
	'/privacy': ['preferences.html', 'text/html'], '/agent': ['agent.html', 'text/html'], '/preferences.js': ['preferences.js', 'text/javascript'],
	'/agent.js': ['agent.js', 'text/javascript'], '/pages.css': ['pages.css', 'text/css'],
};
const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

// Answers what a web server of this machine does with a request. `api` is where the preference page is to ask, "": here.
export function pages(floorwalker, { writeKey = '', api = '' } = {}) {
	const policy = `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ${api}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`;

	function handOut(res, [name, type]) {
		const text = readFileSync(new URL(name, import.meta.url), 'utf8');
		res.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': policy.trim(), 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' });
		res.end(text.replace('data-api=""', () => `data-api="${escaped(api)}"`).replace('data-write-key=""', () => `data-write-key="${escaped(writeKey)}"`));
	}

	function handOn(req, res) {
		const { connection, ...headers } = req.headers;
		const asked = request(new URL(req.url, floorwalker), { method: req.method, headers, agent: false }, (answer) => {
			res.writeHead(answer.statusCode, answer.headers);
			answer.pipe(res);
		});
		asked.on('error', () => (res.headersSent ? res.destroy() : res.writeHead(502).end()));
		req.pipe(asked);
	}

	return (req, res) => {
		const path = req.url.split('?')[0];
		if (path.startsWith('/v1/')) return handOn(req, res);
		return files[path] ? handOut(res, files[path]) : res.writeHead(404).end();
	};
}

// Listens, on a free port if the one that was asked for is taken; answers the server.
export async function servePages(floorwalker, { address = '127.0.0.1', port = 0, ...more } = {}) {
	const server = createServer(pages(floorwalker, more));
	const listen = (on) => new Promise((done, fail) => server.once('error', fail).listen(on, address, done));
	await listen(port).catch((error) => (error.code === 'EADDRINUSE' ? listen(0) : Promise.reject(error)));
	return server;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
	const [floorwalker, where = '127.0.0.1:0'] = process.argv.slice(2);
	const [, address, port] = where.match(/^(.*):(\d+)$/) ?? [];
	if (!floorwalker || !address) {
		console.error('usage: node serve.mjs FLOORWALKER [ADDRESS:PORT]');
		process.exit(2);
	}
	const server = await servePages(floorwalker, { address, port: Number(port), writeKey: process.env.FW_WRITE_KEY, api: process.env.FW_API });
	console.log(`http://${address}:${server.address().port}`);
}
