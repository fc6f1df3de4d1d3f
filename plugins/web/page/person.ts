/* Who it is, and what may be done with it: the cookie of the anonymousId, consent, Global Privacy Control. Without a purpose
 * that is granted nobody is remembered: there is no id, and no cookie but that of the answer itself. */

import { cookie, domain, implied } from './settings';

const answer = 'fw_consent';
const year = 31536000;
export const objects = (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;

/* All cookies, read once a turn: a browser asks another process for them. */
let jar: string | undefined;

function cookies() {
	if (jar === undefined) queueMicrotask(() => { jar = undefined; });
	return jar ??= document.cookie;
}

/* Documents without an origin have no cookies, and say so by throwing. */
function read(name: string) {
	try {
		const pair = cookies().split('; ').find((c) => c.startsWith(name + '='));
		return pair && decodeURIComponent(pair.slice(name.length + 1));
	} catch { /* as good as none */ }
}

function write(name: string, value: string, age = year) {
	jar = undefined;
	try {
		document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=${age}; samesite=lax`
			+ (domain ? `; domain=${domain}` : '') + (location.protocol === 'https:' ? '; secure' : '');
	} catch { /* then it holds on this page */ }
}

let said: Record<string, boolean> | undefined;
try {
	said = JSON.parse(read(answer) ?? '') ?? undefined;
} catch { /* nothing was said */ }

/* What Global Privacy Control takes away, whatever was said. */
const isObjected = (purpose: string) => objects && (purpose === 'sale' || purpose === 'personalization');

export const allows = (purpose: string) => (said ? said[purpose] === true : implied.includes(purpose)) && !isObjected(purpose);

/* Whether there is a purpose to which somebody may be known. */
export const remembers = () => (said ? Object.keys(said) : implied).some(allows);

/* As Segment's consent tools send it; undefined: nothing was said, and the defaults of the store's configuration hold. */
export function preferences() {
	return said && { categoryPreferences: Object.fromEntries(Object.entries(said).filter(([purpose, yes]) => !yes || allows(purpose))) };
}

/* False: nothing new. */
export function say(purposes: Record<string, boolean>) {
	const before = JSON.stringify(said), now = JSON.stringify(said = { ...said, ...purposes });
	write(answer, now);
	return now !== before;
}

/* Plain, or as a JSON string. */
export const keptId = () => read(cookie)?.replace(/^"|"$/g, '') || undefined;

export const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

/* Undefined where nobody may be remembered, or cookies are refused. */
export function anonymousId() {
	if (!remembers()) return undefined;
	const kept = keptId();
	if (kept) return kept;
	write(cookie, random());
	return keptId();
}

export const forget = () => write(cookie, '', 0);

/* Whoever is logged in, as this page told. */
export const user: { userId?: string; userHash?: unknown } = {};
