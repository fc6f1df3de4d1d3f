// Stands in for the shop's own web server, on this machine: hands out the two pages of this folder and hands /v1/ on to
// floorwalker, so that the agent's view is of one origin with it. The store's home page is served by ../../demo/pages/serve.mjs,
// which has the rest from here.
//
//   node serve.mjs FLOORWALKER [ADDRESS:PORT]        FW_WRITE_KEY, FW_API: what is written into the preference page
//
// It adds no X-Forwarded-For: who asks it is this machine. A real one does, and is listed in `proxies`.

import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';

const files = {
	'/privacy': 'preferences.html', '/agent': 'agent.html', '/preferences.js': 'preferences.js', '/agent.js': 'agent.js', '/pages.css': 'pages.css',
};
const types = {
	html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8',
	json: 'application/json', jsonl: 'application/jsonl', svg: 'image/svg+xml',
};
const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

// A file of ours, under a policy that lets nothing in line and nothing from elsewhere; `api` is where its scripts may ask beside here,
// `edit` what is written into it. A file that is not there is answered 404.
export function handOut(res, file, { api = '', edit = (text) => text } = {}) {
	const name = file.pathname, policy = `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ${api}`.trim();
	let text;
	try {
		text = readFileSync(file, 'utf8');
	} catch {
		return res.writeHead(404).end();
	}
	res.writeHead(200, {
		'content-type': types[name.slice(name.lastIndexOf('.') + 1)],
		'content-security-policy': `${policy}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`,
		'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store',
	});
	return res.end(edit(text));
}

// Asks floorwalker what was asked here, with other headers (undefined: without that one), and with another path or body if there is one.
export function handOn(floorwalker, req, res, { headers = {}, path = req.url, body } = {}) {
	const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body), 'transfer-encoding': undefined };
	const { connection, ...told } = { ...req.headers, ...headers, ...length };
	const sent = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
	const asked = request(new URL(path, floorwalker), { method: req.method, headers: sent, agent: false }, (answer) => {
		res.writeHead(answer.statusCode, answer.headers);
		answer.pipe(res);
	});
	asked.on('error', () => (res.headersSent ? res.destroy() : res.writeHead(502).end()));
	res.on('close', () => asked.destroy()); // a stream goes on until the page is left
	if (body === undefined) req.pipe(asked);
	else asked.end(body);
}

// The two pages: whether the request was for one of them. `api` is where the preference page is to ask, "": here; `cookie` that of
// the anonymousId.
export function handOutOurs(path, res, { writeKey = '', api = '', cookie = 'ajs_anonymous_id' } = {}) {
	if (!Object.hasOwn(files, path)) return false;
	const edit = (text) => text.replace('data-api=""', () => `data-api="${escaped(api)}"`).replace('data-write-key=""', () => `data-write-key="${escaped(writeKey)}"`)
		.replace('data-cookie="ajs_anonymous_id"', () => `data-cookie="${escaped(cookie)}"`);
	handOut(res, new URL(files[path], import.meta.url), { api, edit });
	return true;
}

// Answers what a web server of this machine does with a request.
export const pages = (floorwalker, options) => (req, res) => {
	const path = req.url.split('?')[0];
	if (path.startsWith('/v1/')) handOn(floorwalker, req, res);
	else if (!handOutOurs(path, res, options)) res.writeHead(404).end();
};

// Listens, on a free port if the one that was asked for is taken; answers the server.
export async function listen(handler, { address = '127.0.0.1', port = 0 } = {}) {
	const server = createServer(handler);
	const on = (number) => new Promise((done, fail) => server.once('error', fail).listen(number, address, done));
	await on(port).catch((error) => (error.code === 'EADDRINUSE' ? on(0) : Promise.reject(error)));
	return server;
}

export const servePages = (floorwalker, { address, port, ...more } = {}) => listen(pages(floorwalker, more), { address, port });

// What a server of this folder is told on the command line: serves what `make(floorwalker)` answers, and says where.
export async function main(make) {
	const [floorwalker, where = '127.0.0.1:0'] = process.argv.slice(2);
	const [, address, port] = where.match(/^(.*):(\d+)$/) ?? [];
	if (!floorwalker || !address) {
		console.error('usage: node serve.mjs FLOORWALKER [ADDRESS:PORT]');
		process.exit(2);
	}
	const server = await listen(make(floorwalker), { address, port: Number(port) });
	console.log(`http://${address}:${server.address().port}`);
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
	await main((floorwalker) => pages(floorwalker, { writeKey: process.env.FW_WRITE_KEY, api: process.env.FW_API }));
}
