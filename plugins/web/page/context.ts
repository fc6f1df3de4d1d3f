/* What the page says of itself, in Segment's words. */

import { objects, preferences } from './person';

/* The page looked at before this one: of another document, or of this one before it changed its address. */
let referrer = document.referrer;

export function cameFrom(url: string) {
	referrer = url;
}

export const pageOf = () => ({
	path: location.pathname,
	referrer,
	search: location.search,
	title: document.title,
	url: location.href,
});

/* A browser takes half a millisecond to find either. */
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
const { language } = navigator;

export const context = () => ({
	page: { ...pageOf(), type: document.querySelector<HTMLElement>('[data-fw-page-type]')?.dataset.fwPageType },
	locale: language,
	timezone: timeZone,
	library: { name: 'fw.js' },
	consent: preferences(),
	globalPrivacyControl: objects || undefined,
});
