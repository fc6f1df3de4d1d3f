// TCF consent strings made by the encoder of the IAB's own library are understood as its decoder understands them, field by
// field; of what is broken, nothing is.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { GVL, PurposeRestriction, RestrictionType, Segment, SegmentEncoder, TCModel, TCString } from '@iabtcf/core';
import { environment, long, program } from './daemon.mjs';

const decoder = join(dirname(program), '../tests/system/tcf_decode');
const seed = Number(process.env.FW_TEST_SEED ?? 11);
const vendors = 1300;

function decode(lines) {
	const answer = execFileSync(decoder, { input: lines.join('\n') + '\n', encoding: 'utf8', env: environment(), maxBuffer: 1 << 28 });
	return answer.trimEnd().split('\n').map((line) => JSON.parse(line));
}

// mulberry32: whole numbers below n, the same for the same seed.
function randomBelow(from) {
	let a = from;
	return (n) => {
		a = (a + 0x6d2b79f5) | 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) % n;
	};
}

// A list of vendors that permits them everything, so that the encoder leaves out none.
function vendorList(version, policy) {
	const all = [...Array(11)].map((_, i) => i + 1);
	const entry = (id) => [id, { id, name: `${id}`, purposes: all, legIntPurposes: all, flexiblePurposes: all,
		specialPurposes: [1], features: [], specialFeatures: [] }];
	return new GVL({
		gvlSpecificationVersion: 3, vendorListVersion: version, tcfPolicyVersion: policy, lastUpdated: '2026-01-01T00:00:00Z', stacks: {},
		purposes: Object.fromEntries(all.map((id) => [id, { id }])), specialPurposes: { 1: { id: 1 } }, features: {},
		specialFeatures: { 1: { id: 1 } }, vendors: Object.fromEntries([...Array(vendors)].map((_, i) => entry(i + 1))),
	});
}

const list = vendorList(48, 5);

// Few, many or neighbouring ids: what is shorter as a field of bits, and what as ranges.
function someVendors(random) {
	const chosen = [];
	switch (random(5)) {
	case 0:
		break;
	case 1:
		for (let i = random(4); i >= 0; i--) chosen.push(1 + random(vendors));
		break;
	case 2:
		for (let i = random(4); i >= 0; i--) {
			const first = 1 + random(vendors - 100);
			for (let id = first; id < first + 1 + random(100); id++) chosen.push(id);
		}
		break;
	case 3:
		for (let id = 1; id <= 40; id++) if (random(2)) chosen.push(id);
		break;
	default:
		for (let id = 1; id <= vendors; id++) if (random(3)) chosen.push(id);
	}
	return chosen;
}

const some = (random, highest) => [...Array(highest)].map((_, i) => i + 1).filter(() => random(2));
const word = (random) => String.fromCharCode(65 + random(26), 65 + random(26));

function model(random) {
	const m = new TCModel();
	m.gvl_ = m.publisherRestrictions.gvl = list; // as it is: setting it by its name copies it
	m.consentLanguage = word(random);
	m.cmpId = 2 + random(4094);
	m.cmpVersion = random(4096);
	m.consentScreen = random(64);
	m.vendorListVersion = 1 + random(4095);
	m.policyVersion = random(64);
	m.created = new Date(Date.UTC(2020 + random(20), random(12), 1 + random(28)));
	m.lastUpdated = new Date(m.created.getTime() + random(1e9) * 100);
	m.isServiceSpecific = random(4) > 0;
	m.useNonStandardStacks = random(2) > 0;
	m.purposeOneTreatment = random(2) > 0;
	m.publisherCountryCode = word(random);
	m.specialFeatureOptins.set(some(random, 12));
	m.purposeConsents.set(random(4) ? some(random, 24) : some(random, 24).concat([1, 2, 3, 4, 5, 6, 7, 8, 9]));
	m.purposeLegitimateInterests.set(some(random, 24));
	m.vendorConsents.set(someVendors(random));
	m.vendorLegitimateInterests.set(someVendors(random));
	for (let i = random(3) * random(8); i > 0; i--)
		m.publisherRestrictions.add(1 + random(vendors), new PurposeRestriction(1 + random(11),
			[RestrictionType.NOT_ALLOWED, RestrictionType.REQUIRE_CONSENT, RestrictionType.REQUIRE_LI][random(3)]));
	return m;
}

const segments = [[Segment.CORE], [Segment.CORE, Segment.PUBLISHER_TC], [Segment.CORE, Segment.VENDORS_DISCLOSED, Segment.PUBLISHER_TC]];
const encode = (m, parts) => parts.map((segment) => SegmentEncoder.encode(m, segment)).join('.');
const idsOf = (vector) => [...vector].filter(([, is]) => is).map(([id]) => id);

// What the peer says of a string, in our words.
function expected(text) {
	const m = TCString.decode(text), consents = new Set(idsOf(m.purposeConsents)), all = (...ids) => ids.every((id) => consents.has(id));
	return {
		created_ms: m.created.getTime(), updated_ms: m.lastUpdated.getTime(), cmp_id: m.cmpId, cmp_version: m.cmpVersion,
		screen: m.consentScreen, language: m.consentLanguage, vendor_list_version: m.vendorListVersion, policy_version: m.policyVersion,
		service_specific: m.isServiceSpecific, non_standard_texts: m.useNonStandardStacks, purpose_one_treatment: m.purposeOneTreatment,
		publisher_country: m.publisherCountryCode, n_restrictions: m.publisherRestrictions.numRestrictions,
		special_features: idsOf(m.specialFeatureOptins), purposes_consent: idsOf(m.purposeConsents),
		purposes_interest: idsOf(m.purposeLegitimateInterests), vendor_consent: idsOf(m.vendorConsents),
		vendor_interest: idsOf(m.vendorLegitimateInterests),
		analytics: all(1, 8, 9), personalization: all(1, 5, 6), contextual: all(11), advertising: all(1, 2, 3, 4, 7),
	};
}

test('hundreds of strings are understood as the IAB library understands them', () => {
	const random = randomBelow(seed), texts = [];
	for (let i = 0; i < 3; i++) texts.push(TCString.encode(model(random))); // slow: it looks at every vendor of the list
	for (let i = 0; i < (long ? 20000 : 500); i++) texts.push(encode(model(random), segments[random(3)]));
	const seen = { ranges: 0, bits: 0, restrictions: 0, segments: 0 };
	decode(texts).forEach((got, i) => {
		assert.ok(got, `seed ${seed}: refused ${texts[i]}`);
		const { in_ranges, ...fields } = got;
		assert.deepEqual(fields, expected(texts[i]), `seed ${seed}: ${texts[i]}`);
		seen[in_ranges ? 'ranges' : 'bits']++;
		seen.restrictions += got.n_restrictions > 0;
		seen.segments += texts[i].includes('.');
	});
	for (const [what, times] of Object.entries(seen)) assert.ok(times > texts.length / 10, `seed ${seed}: ${what} ${times} times`);
});

test('of a string that is cut off, of another version or of another alphabet, nothing is understood', () => {
	const core = encode(model(randomBelow(seed)), [Segment.CORE]);
	const broken = ['', '.', 'DBABM~' + core, 'B' + core.slice(1), 'D' + core.slice(1), core + '=', core + '.+', ` ${core}`,
		core.slice(0, 36)];
	assert.deepEqual(decode(broken), broken.map(() => null));
});
