/* A page that stays open follows what its slots show. Nobody is followed while the page is hidden. */

import type { Answer } from './api';
import { context } from './context';
import { anonymousId, remembers, user } from './person';
import { api, live, writeKey } from './settings';

const again = 30000; /* after an answer that a browser does not ask again by itself */

let source: EventSource | undefined;
let question: Record<string, string> | undefined;
let told: (answer: Answer) => void;
let timer = 0;

function open() {
	source?.close();
	source = undefined;
	clearTimeout(timer);
	if (!question || document.visibilityState === 'hidden') return;
	const now = source = new EventSource(`${api}stream?${new URLSearchParams(question)}`);
	now.onmessage = ({ data, lastEventId }) => {
		question!.shown = lastEventId;
		told(JSON.parse(data));
	};
	now.onerror = () => { if (now.readyState === now.CLOSED) timer = window.setTimeout(open, again); };
}

/* Those slots from now on, and no others; `shown` are the decisions that the page has. */
export function follow(slots: string[], shown: string[], heard: (answer: Answer) => void) {
	if (!live || !window.EventSource) return;
	const id = anonymousId();
	if (!question) document.addEventListener('visibilitychange', open);
	told = heard;
	question = {
		writeKey: writeKey ?? '', slots: slots.join(), shown: shown.slice(-8).join(), context: JSON.stringify(context()),
		...id && { anonymousId: id }, ...remembers() && user as Record<string, string>,
	};
	open();
}
