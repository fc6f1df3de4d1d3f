/* Events wait here until they are stored. Each has its messageId, so that sending one again counts once: what is on its way when the
 * page is left goes once more with the beacon. */

import type { Options } from './api';
import { context } from './context';
import { allows, anonymousId, random, user } from './person';
import { api, writeKey } from './settings';

interface Waiting { messageId: string; type: string; [more: string]: unknown }

const unsent = 'fw.unsent';
const most = 200; /* waiting; the oldest makes room */
const together = 20;

let queue: Waiting[] = [];
let timer = 0, busy = false, failures = 0, restored = false;

/* Between pages, for those that could not be sent. Without storage they end with the page. */
function keep(events: Waiting[]) {
	try {
		if (events.length) localStorage.setItem(unsent, JSON.stringify(events));
		else localStorage.removeItem(unsent);
	} catch { /* none */ }
}

/* What the page before could not send. A page's first look into its storage may take longer than all else here, so it comes when
 * something is to be sent, and the slots have been asked for by then. */
function restore() {
	if (restored) return;
	restored = true;
	try {
		if (allows('analytics')) queue = [...JSON.parse(localStorage.getItem(unsent) ?? '[]'), ...queue];
	} catch { /* none */ }
	keep([]);
}

export function startEvents() {
	soon(100);
	addEventListener('online', () => soon(0));
	addEventListener('pagehide', leave);
	document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && leave());
}

/* Without consent to analytics nothing is told, but for the answer itself: that is `told` with the id it is about. */
export function send(type: string, what: object, options: Options = {}, told?: string) {
	const id = told ?? anonymousId();
	if (!id || !(told || allows('analytics'))) return;
	queue.push({
		type,
		messageId: options.messageId ?? random(),
		timestamp: (options.timestamp ? new Date(options.timestamp) : new Date()).toISOString(),
		anonymousId: id,
		userId: user.userId,
		context: { ...context(), userHash: user.userHash, ...options.context },
		...what,
	});
	if (queue.length > most) queue.shift();
	soon(100);
}

/* Nothing of what was to be told may be told any more. */
export function drop() {
	restored = true;
	queue = [];
	keep(queue);
}

function soon(ms: number) {
	if (!timer && !busy) timer = window.setTimeout(flush, ms);
}

const bodyOf = (batch: Waiting[]) => JSON.stringify({ writeKey, batch, sentAt: new Date().toISOString() });

/* A body of plain text needs no question before it, and the key stands in it. */
const post = (batch: Waiting[]) => fetch(api + 'batch', { method: 'POST', body: bodyOf(batch), credentials: 'omit' });

async function flush() {
	timer = 0;
	restore();
	if (!queue.length || !navigator.onLine) return;
	busy = true;
	const batch = queue.slice(0, together);
	let wait = Math.min(60, 2 ** failures++);
	try {
		const { ok, status, headers } = await post(batch);
		if (ok || (status < 500 && status !== 408 && status !== 429)) {
			/* Stored; or refused, and so it would be again. */
			queue = queue.filter((event) => !batch.includes(event));
			failures = wait = 0;
		}
		wait = Number(headers.get('retry-after')) || wait;
	} catch { /* nobody was reached */ }
	busy = false;
	if (queue.length) soon(wait * 1000);
}

/* Nobody may be here to hear the answer. */
function leave() {
	restore();
	if (!queue.length) return;
	if (navigator.onLine && navigator.sendBeacon(api + 'batch', new Blob([bodyOf(queue)], { type: 'text/plain' }))) queue = [];
	keep(queue);
}
