/* fw.js: the browser's part of the web channel. README.md beside plugins/web says where to start reading. */

import type { Call, Floorwalker, Properties } from './api';
import { pageOf } from './context';
import { drop, send, startEvents } from './events';
import { startNavigation } from './navigation';
import { allows, anonymousId, forget, keptId, say, user } from './person';
import { startSeeing } from './seen';
import { sendsPages } from './settings';
import { awaitView, decide, lookAgain, setRenderer, startSlots } from './slots';

let started = false;

const fw: Floorwalker = {
	track: (event, properties = {}, options) => send('track', { event, properties }, options),

	identify(userId, traits = {}, options) {
		if (userId && userId !== user.userId) user.userHash = undefined;
		if (userId) user.userId = userId;
		user.userHash = options?.context?.userHash ?? traits.userHash ?? user.userHash;
		send('identify', { traits }, options);
	},

	page(category, name, properties = {}, options) {
		const called: Properties = { category: category ?? undefined, name: name ?? undefined };
		send('page', { ...called, properties: { ...pageOf(), ...called, ...properties } }, options);
	},

	consent(purposes) {
		const before = keptId(), counted = allows('analytics');
		if (!say(purposes)) return;
		const id = anonymousId() ?? before;
		if (!allows('analytics')) drop();
		if (id) send('track', { event: 'Segment Consent Preference Updated' }, {}, id);
		if (before && !anonymousId()) forget();
		if (!started) return;
		/* What went before is not told later; the page that is looked at now is. */
		if (!counted && sendsPages) fw.page();
		lookAgain();
	},

	render: setRenderer,
	decide,

	reset() {
		user.userId = user.userHash = undefined;
		forget();
	},

	push(...calls: Call[]) {
		for (const call of calls) {
			if (typeof call === 'function') call(fw);
			else (fw[call[0]] as (...args: unknown[]) => unknown)(...call.slice(1));
		}
	},
};

function arrived() {
	if (sendsPages) fw.page();
	lookAgain();
}

function start() {
	const early = window.fw as Call[] | undefined;
	window.fw = fw;
	startEvents();
	fw.push(...(early ?? []));
	started = true;
	startSlots();
	startSeeing();
	startNavigation(awaitView, arrived);
	if (sendsPages) fw.page();
}

/* Once a page, and not for one that is only rendered ahead of being looked at. */
const doc = document as Document & { prerendering?: boolean };
if (!window.fw || Array.isArray(window.fw)) {
	if (doc.prerendering) doc.addEventListener('prerenderingchange', start, { once: true });
	else start();
}
