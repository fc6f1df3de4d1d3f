// A client of server-sent events that tells what it hears, to the letter; WHATWG HTML, 9.2.6.

import { request } from 'node:http';
import { until } from './daemon.mjs';

// Opens a stream: { status, headers, events, comments, retry, id, ended, close(), next(), quiet() }. `events` have { id, data, at }, the data
// parsed, and `heard` is called with each; `id` and `retry` are the last ones that were told, `ended` says how it ended: "end", or an error. What is no stream has `text`.
export function openStream(url, { body, headers = {}, reads = true, heard: tell = () => {} } = {}) {
	return new Promise((done, fail) => {
		const sent = body === undefined ? undefined : JSON.stringify(body);
		const req = request(url, { method: sent === undefined ? 'GET' : 'POST', agent: false, headers: { accept: 'text/event-stream', ...(sent && { 'content-type': 'application/json' }), ...headers } }, (answer) => {
			const stream = { status: answer.statusCode, headers: answer.headers, events: [], comments: 0, retry: undefined, id: undefined, ended: undefined, text: '', answer };
			let rest = '', data = [], id, heard = 0;
			const line = (text) => {
				const [, field, value] = text.match(/^([^:]*):? ?(.*)$/s);
				if (text === '') {
					if (id !== undefined) stream.id = id;
					if (data.length) {
						stream.events.push({ id: stream.id, data: JSON.parse(data.join('\n')), at: performance.now() });
						tell(stream.events.at(-1));
					}
					data = [];
				} else if (field === '') stream.comments++;
				else if (field === 'data') data.push(value);
				else if (field === 'id') id = value;
				else if (field === 'retry') stream.retry = Number(value);
			};
			Object.assign(stream, {
				close: () => req.destroy(),
				// The next event that was not heard yet.
				next: async (what = 'an event', seconds = 30) => {
					await until(() => stream.events.length > heard, { what, seconds });
					return stream.events[heard++].data;
				},
				// How many there are that were not heard yet.
				unheard: () => stream.events.length - heard,
				over: (what = 'it ends') => until(() => stream.ended, { what }),
			});
			answer.setEncoding('utf8').on('end', () => { stream.ended ??= 'end'; }).on('error', (error) => { stream.ended ??= error.code ?? error.message; });
			answer.on('close', () => { stream.ended ??= 'close'; });
			const isStream = answer.headers['content-type'] === 'text/event-stream';
			if (reads || !isStream) answer.on('data', (text) => {
				if (!isStream) { stream.text += text; return; }
				const lines = (rest + text).split('\n');
				rest = lines.pop();
				lines.forEach(line);
			});
			if (isStream) done(stream);
			else answer.on('end', () => done(stream));
		});
		req.on('error', fail).end(sent);
	});
}

// The same for somebody who comes back by himself, as a browser does: { events, opened, latest, failures, close() }.
export async function followStream(url, options = {}) {
	const all = { events: [], opened: 0, closed: false, latest: undefined, stream: undefined, id: undefined, failures: [] };
	const heard = (event) => { all.events.push(event); all.latest = event.data; };
	const go = async () => {
		while (!all.closed) {
			try {
				const stream = await openStream(url, { ...options, heard, headers: { ...options.headers, ...(all.id && { 'last-event-id': all.id }) } });
				if (stream.status !== 200) { all.failures.push(stream.status); return; }
				all.stream = stream;
				all.opened++;
				await until(() => stream.ended || all.closed, { seconds: 600 });
				all.id = stream.id ?? all.id;
				stream.close();
				await new Promise((done) => setTimeout(done, stream.retry ?? 1000));
			} catch (error) {
				if (error.code !== 'ECONNREFUSED' && error.code !== 'ECONNRESET') { all.failures.push(error.message); return; }
				await new Promise((done) => setTimeout(done, 100));
			}
		}
	};
	all.gone = go();
	all.close = async () => { all.closed = true; all.stream?.close(); await all.gone; };
	await until(() => all.opened || all.failures.length, { what: 'the stream opens' });
	return all;
}
