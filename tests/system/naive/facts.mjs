// The facts of the rule language, and a visitor's values of them. Written from the language's page alone.

import { readFileSync } from 'node:fs';

// name → [type, category that `uses` gives it]. A fact with parts is listed part by part.
const catalogue = {
	country: ['text', 'geography'], region: ['text', 'geography'], city: ['text', 'geography'], continent: ['text', 'geography'],
	timezone: ['text', 'geography'], in_eu: ['boolean', 'geography'],
	source: ['text', 'traffic'], medium: ['text', 'traffic'], campaign: ['text', 'traffic'], term: ['text', 'traffic'],
	content: ['text', 'traffic'], referrer: ['text', 'traffic'], landing: ['text', 'traffic'],
	device: ['text', 'device'], os: ['text', 'device'], browser: ['text', 'device'], language: ['language', 'device'],
	page: ['text', 'context'], page_type: ['text', 'context'],
	hour: ['hour', 'time'], weekday: ['weekday', 'time'], date: ['text', 'time'],
	logged_in: ['boolean', 'session'], pages_this_visit: ['number', 'session'],
	'cart.items': ['number', 'session'], 'cart.total': ['number', 'session'], 'cart.age': ['number', 'session'],
	new_visitor: ['boolean', 'behaviour'], visits: ['number', 'behaviour'], days_since_visit: ['number', 'behaviour'],
	viewed: ['query', 'behaviour'], searched: ['query', 'behaviour'], added: ['query', 'behaviour'], bought: ['query', 'behaviour'],
	clicked: ['query', 'behaviour'], opened: ['query', 'behaviour'], affinity: ['query', 'behaviour'],
	orders: ['number', 'behaviour'], revenue: ['number', 'behaviour'], average_order: ['number', 'behaviour'],
	days_since_order: ['number', 'behaviour'], engagement: ['number', 'behaviour'],
	traits: ['trait', 'profile'], consent: ['set', 'consent'],
};

function entry(path) {
	const found = catalogue[path] ?? catalogue[path.split('.')[0]];
	if (!found) throw new Error(`no such fact: ${path}`);
	return found;
}

export const typeOf = (path) => entry(path)[0];
export const usesOf = (path) => entry(path)[1];
export const factNames = Object.keys(catalogue);
export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

// A value as the language sees it: JSON null and empty text are no value.
function valueOrNone(value) {
	return value === null || value === '' ? undefined : value;
}

// The values that the fact may have: one, none, or, for time where only the country is known, one in each of its zones.
export function possibleValues(visitor, path) {
	const [head, part] = path.split('.');
	const given = valueOrNone(part === undefined ? visitor[head] : visitor[head]?.[part]);
	if (given !== undefined) return [given];
	if (path === 'in_eu' || path === 'continent') return fromCountry(path, valueOrNone(visitor.country));
	if (usesOf(path) !== 'time' || visitor.at === undefined) return [];
	return zonesOf(visitor).map((zone) => localTime(instant(visitor.at), zone)[path]);
}

const union = 'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' ');
const continents = { CA: 'NA', US: 'NA', NO: 'EU', FI: 'EU', DE: 'EU' };   // of the countries that are generated

function fromCountry(path, country) {
	if (country === undefined) return [];
	const code = country.toUpperCase();
	if (path === 'in_eu') return [union.includes(code)];
	if (!continents[code]) throw new Error(`the continent of ${code} is not written here`);
	return [continents[code]];
}

// The one value of a fact, or undefined. A time that is not the same in all zones of the country is no value.
export function valueOf(visitor, path) {
	const values = possibleValues(visitor, path);
	return values.every((value) => value === values[0]) ? values[0] : undefined;
}

function zonesOf(visitor) {
	const zone = valueOrNone(visitor.traits?.timezone) ?? valueOrNone(visitor.timezone);
	if (zone !== undefined) return [zone];
	const country = valueOrNone(visitor.country);
	return country === undefined ? [] : zonesOfCountry(country.toUpperCase());
}

let zoneTable;

function zonesOfCountry(country) {
	zoneTable ??= readFileSync('/usr/share/zoneinfo/zone.tab', 'utf8').split('\n')
		.filter((line) => line && !line.startsWith('#')).map((line) => line.split('\t'));
	return zoneTable.filter(([code]) => code === country).map(([, , zone]) => zone);
}

const formats = new Map();

function localTime(milliseconds, zone) {
	if (!formats.has(zone)) {
		formats.set(zone, new Intl.DateTimeFormat('en-US', {
			timeZone: zone, hourCycle: 'h23', hour: 'numeric', weekday: 'short', year: 'numeric', month: '2-digit', day: '2-digit',
		}));
	}
	const parts = Object.fromEntries(formats.get(zone).formatToParts(milliseconds).map(({ type, value }) => [type, value]));
	return { hour: Number(parts.hour), weekday: parts.weekday.toLowerCase(), date: `${parts.year}-${parts.month}-${parts.day}` };
}

// The instant of a date and time; without an offset it is in the store's zone, which is UTC where nothing is configured.
export function instant(text) {
	const offset = /(Z|[+-]\d\d:\d\d)$/.test(text);
	const milliseconds = Date.parse(offset ? text : `${text}Z`);
	if (Number.isNaN(milliseconds)) throw new Error(`not a date and time: ${text}`);
	return milliseconds;
}

const day = 86400000;
const isDate = (text) => /^\d{4}-\d\d-\d\d$/.test(text);

// A date starts with its first moment; a date that ends is whole, a time that ends is not included.
export const startsAt = (text) => (isDate(text) ? instant(`${text}T00:00`) : instant(text));
export const endsBefore = (text) => (isDate(text) ? instant(`${text}T00:00`) + day : instant(text));
