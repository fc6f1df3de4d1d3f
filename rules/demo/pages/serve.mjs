// Stands in for web server and CDN of the four example sites, on this machine, and hands /v1/ and fw.js on to floorwalker.
//
//   node serve.mjs FLOORWALKER [ADDRESS:PORT]        FW_SECRET_KEY: that of the configuration
//
// What a CDN knows and a browser says of itself comes from the switcher "Who am I": the cookie demo_country becomes an address of
// that country, in X-Forwarded-For, and demo_device the User-Agent. fw.js sends no cookies with what it asks; so the page that is
// handed out says where its script is to ask: at /as/COUNTRY-DEVICE/v1/. What needs a secret key ("Why do I see this" asks
// /v1/explain, the agent's view /v1/visitors) gets it here; so this server is for this machine alone, and for pages of its own.

import { handOn, handOut, handOutOurs, main } from '../../shop/pages/serve.mjs';

// Any address of the country does.
const addresses = {
	DE: '84.160.1.1', AT: '80.108.1.1', CH: '85.0.1.1', FR: '90.1.2.3', GB: '81.128.1.1', NO: '84.208.1.1', SE: '81.224.1.1', US: '73.10.0.1',
	CA: '24.48.0.1', JP: '126.1.2.3', AU: '1.128.0.1',
};
const devices = {
	desktop: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0',
	mobile: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
	tablet: 'Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
};

// No name has two dots, so that no path leads out of the folder.
const file = /^\/(shop|media|travel|onboarding|demo)\/((?:[\w-]+\/)*[\w-]+\.(?:html|css|js|json|svg))?$/;
const site = /^\/(shop|media|travel|onboarding)$/;

const as = /^\/as\/([A-Z]{2})-(desktop|mobile|tablet|)(\/v1\/.*)$/;

// Who is played: { country, device, path }, where a device "" is the browser's own.
function played(req) {
	const [, country, device, path] = req.url.match(as) ?? [];
	if (path) return { country: addresses[country] ? country : 'DE', device, path };
	const { demo_country: place, demo_device: thing } = Object.fromEntries((req.headers.cookie ?? '').split('; ').map((pair) => pair.split('=', 2)));
	return { country: Object.hasOwn(addresses, place ?? '') ? place : 'DE', device: Object.hasOwn(devices, thing ?? '') ? thing : '', path: req.url };
}

// Who came through a CDN: its word for the address, and none of the browser's own hints once another device is played.
function asForwarded(req, { country, device }) {
	const hints = Object.fromEntries(Object.keys(req.headers).filter((name) => name.startsWith('sec-ch-ua')).map((name) => [name, undefined]));
	return { forwarded: undefined, 'x-forwarded-for': addresses[country], ...(device ? { ...hints, 'user-agent': devices[device] } : {}) };
}

// Whether a page of this server asks, and no other that the browser has open.
const isOurs = (req) => /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(req.headers.host ?? '') && ['same-origin', 'none', undefined].includes(req.headers['sec-fetch-site']);

async function textOf(req) {
	let text = '';
	for await (const part of req.setEncoding('utf8')) if ((text += part).length > 65536) throw Error('too long');
	return text;
}

// An explanation is asked for with a secret key. Who has one speaks for others: the address stands in the body.
async function explain(floorwalker, req, res, { country, headers }) {
	try {
		const asked = JSON.parse(await textOf(req));
		handOn(floorwalker, req, res, { headers, body: JSON.stringify({ ...asked, context: { ...asked.context, ip: addresses[country] } }) });
	} catch {
		res.writeHead(400).end();
	}
}

// Answers requests. `edit(path, text)` changes what is handed out, as a test wants it.
export const pages = (floorwalker, { secret, edit = (path, text) => text } = {}) => (req, res) => {
	const who = played(req), path = who.path.split('?')[0];
	const opened = /\bdemo_open=1\b/.test(req.headers.cookie ?? '');
	const asWhom = (text) => text.replace('src="/fw.js"', `src="/fw.js" data-api="/as/${who.country}-${who.device}"`)
		.replace('<html', opened ? '<html data-demo-open' : '<html'); // told before anything is painted, so that an open panel moves nothing
	const give = (name) => handOut(res, new URL(name, import.meta.url), { edit: (text) => edit(name, name.endsWith('.html') ? asWhom(text) : text) });
	if (path.startsWith('/v1/')) {
		const headers = asForwarded(req, who), withKey = { ...headers, authorization: secret && `Bearer ${secret}`, origin: undefined, 'x-forwarded-for': undefined };
		const needs = isOurs(req) && !req.headers.authorization;
		if (needs && path === '/v1/explain') return explain(floorwalker, req, res, { country: who.country, headers: withKey });
		if (needs && path.startsWith('/v1/visitors/') && !/\/anonymous(:|%3A)[^/]*\/consent$/i.test(path)) return handOn(floorwalker, req, res, { headers: withKey });
		return handOn(floorwalker, req, res, { headers, path: who.path });
	}
	if (['/fw.js', '/fw.js.map', '/fw.d.ts'].includes(path)) return handOn(floorwalker, req, res);
	if (path === '/') return give('index.html');
	if (path === '/favicon.ico') return give('icon.svg');
	if (path === '/shop/products.jsonl') return give('../../shop/products.jsonl');
	if (handOutOurs(path, res, { writeKey: 'demo', cookie: 'fw_shop' })) return undefined;
	const [, whose, name = 'index.html'] = path.match(file) ?? [];
	if (whose) return give(`../../${whose}/pages/${name}`);
	if (site.test(path)) return res.writeHead(308, { location: `${path}/` }).end();
	return res.writeHead(404).end();
};

if (process.argv[1] === new URL(import.meta.url).pathname) {
	await main((floorwalker) => pages(floorwalker, { secret: process.env.FW_SECRET_KEY }));
}
