// The peer of ofrep.mjs: OFREP as a Node server would do it, on @openfeature/flagd-core. node ofrep_flagd.cjs PEERS FLAGS PORT
'use strict';
const { createServer } = require('node:http');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const [,, peers, flagsFile, port] = process.argv;
const { FlagdCore } = require(join(peers, 'node_modules/@openfeature/flagd-core'));

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
const core = new FlagdCore(undefined, silent);
const flags = readFileSync(flagsFile, 'utf8');
core.setConfigurations(flags);
const keys = Object.keys(JSON.parse(flags).flags);
const path = '/ofrep/v1/evaluate/flags';

function evaluate(key, context) {
	const { value, reason, variant } = core.resolveObjectEvaluation(key, {}, context, silent);
	return { key, value, reason, variant, metadata: {} };
}

createServer((req, res) => {
	const parts = [];
	req.on('data', (part) => parts.push(part)).on('end', () => {
		const { context = {} } = JSON.parse(Buffer.concat(parts).toString() || '{}');
		const answer = req.url === path ? { flags: keys.map((key) => evaluate(key, context)) } : evaluate(decodeURIComponent(req.url.slice(path.length + 1)), context);
		const text = JSON.stringify(answer);
		res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
	});
}).listen(Number(port), '127.0.0.1');
