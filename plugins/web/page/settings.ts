/* What the script element says: its attributes are the configuration. */

const script = (document.currentScript ?? document.querySelector('script[data-write-key]')) as HTMLScriptElement;
const data = script.dataset;

export const writeKey = data.writeKey;
/* Where floorwalker is: where the script came from. */
export const api = (data.api ?? script.src.split(/[?#]/)[0].replace(/[^/]*$/, '')).replace(/\/?$/, '/v1/');
/* The first-party cookie of the anonymousId, by the name that Segment's browser client gives it. */
export const cookie = data.cookie ?? 'ajs_anonymous_id';
export const domain = data.domain;
/* Purposes that are granted of somebody who has said nothing. */
export const implied = words(data.consent);
/* Slots to ask for before the page has been read to its end. */
export const expected = words(data.slots);
/* Whether the page follows what its slots show, while it is open. */
export const live = 'live' in data;
export const sendsPages = data.page !== 'off';
/* Milliseconds after which the default stays. The page's style sheet says the same. */
export const budget = Number(data.budget ?? 150);

function words(list: string | undefined) {
	return list?.split(/[\s,]+/).filter(Boolean) ?? [];
}
