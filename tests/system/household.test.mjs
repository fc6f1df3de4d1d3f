// Two customers with one e-mail address were one row that led to itself: the second was answered 503, and shown as the first.

import assert from 'node:assert/strict';
import test from 'node:test';
import { metrics } from './server.mjs';
import { event, servePeople, until } from './people.mjs';

const address = { email: 'family@shop.example' };

test('a household\'s address joins nobody, and what each does stays his own', async (t) => {
	const shop = await servePeople(t);
	const tell = async (path, body) => assert.deepEqual([(await shop.send(path, body)).status, body], [200, body]);
	const ids = async (id) => (await shop.visitor(id)).ids;
	const members = [['u-1', 'desk-of-the-first-1'], ['u-2', 'desk-of-the-second']];
	for (const [userId, anonymousId] of members) {
		await tell('identify', { userId, anonymousId, traits: address });
		await tell('track', event({ anonymousId }));
	}
	await tell('track', event({ anonymousId: members[1][1] }));
	await until(async () => (await metrics(shop)).floorwalker_identity_refused_total >= 1, { what: 'the address is refused as evidence' });
	for (const [userId, anonymousId] of members) {
		assert.deepEqual((await ids(userId)).sort(), [`anonymous:${anonymousId}`, 'email:family@shop.example', userId].sort());
		assert.deepEqual(await ids(`anonymous:${anonymousId}`), await ids(userId));
	}
	assert.deepEqual([await shop.seen({ userId: 'u-1' }), await shop.seen({ userId: 'u-2' })], [1, 2]);
	assert.ok((await ids('email:family@shop.example')).includes('u-1'), 'it leads to whoever told it first');
});
