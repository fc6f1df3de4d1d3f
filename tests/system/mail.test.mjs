// A letter's whole way: from an event over the rules, the plugin email and a mail server to what is heard of it. The server is smtp-server,
// the relay a real Exim.

import assert from 'node:assert/strict';
import { until } from './daemon.mjs';
import { startExim } from './exim.mjs';
import { withMessages } from './messages.mjs';
import { bearer, secret, servePeople } from './people.mjs';
import { metrics, ownPlugins, quick } from './server.mjs';
import { readMail, startSmtp } from './smtp.mjs';
import { test } from './stores.mjs';

const rules = `
rule "reminder" { channel = "email", on = "Product Added", after = "1s", cancel_on = "Order Completed",
  send = { template = "reminder", subject = "Your {{event.name|thing}}" } }
rule "receipt" { channel = "email", on = "Order Completed", class = "transactional", send = { subject = "Thank you", text = "{{event.order_id}} is on its way" } }
`;
const files = {
	'shop/messages.lua': rules,
	'shop/templates/reminder.html': '<html><body><h1>Hello {{traits.first_name|you}}</h1><p><a href="https://shop.example/p?id={{event.product_id}}">{{event.name}}</a></p><p><a href="{{unsubscribe_url}}">no more letters</a></p></body></html>',
};

async function open(t, port, { limits = {}, ...more } = {}) {
	return withMessages(await servePeople(t, {
		files,
		config: {
			plugin_path: ownPlugins, limits: { ...quick, message_again_ms: 100, ...limits },
			plugins: { web: {}, email: { smtp: `smtp://127.0.0.1:${port}`, from: 'Shop <hello@shop.example>', address: 'Shop Ltd, 1 Road', ...more } },
		},
	}));
}

test('a letter arrives, its links count, and its header unsubscribes with one click and no cookie', async (t) => {
	const smtp = await startSmtp(t);
	const shop = await open(t, smtp.port);
	await shop.meet('u-1', 'ann@mail.example', { traits: { first_name: 'Ann' } });
	await shop.happen('u-1', 'Product Added', { product_id: 'B&1', name: 'Trail <boot>', price: 89 });
	const [raw] = await smtp.waitFor(1);
	const mail = await readMail(raw.raw);
	assert.deepEqual([mail.to.text, mail.from.text, mail.subject], ['ann@mail.example', '"Shop" <hello@shop.example>', 'Your Trail <boot>']);
	assert.match(mail.html, /Hello Ann[^]*Trail &lt;boot&gt;/);
	assert.match(mail.text, /Hello Ann[^]*Trail <boot> \([^)]*\)/);
	assert.match(mail.html + mail.text, /Shop Ltd, 1 Road/);
	const here = (link) => shop.url + new URL(link).pathname;
	const click = await fetch(here(mail.html.match(/href="(http[^"]*\/email\/c\/[^"]*)"/)[1]), { redirect: 'manual' });
	assert.deepEqual([click.status, click.headers.get('location')], [302, 'https://shop.example/p?id=B%261']);
	await shop.heard('u-1', 'Email Link Clicked');
	const list = mail.headers.get('list').unsubscribe.url;
	assert.equal(mail.headers.get('list')['unsubscribe-post'].name, 'List-Unsubscribe=One-Click');
	// Looking is no answer; the click is.
	assert.equal((await fetch(here(list))).status, 200);
	assert.equal((await shop.visitor('u-1')).consent.email.state, 'granted');
	const post = await fetch(here(list), { method: 'POST', body: 'List-Unsubscribe=One-Click', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
	assert.equal(post.status, 200);
	assert.equal((await shop.visitor('u-1')).consent.email.state, 'withdrawn');
	await shop.happen('u-1', 'Product Added', { product_id: 'B-2' });
	await until(async () => (await shop.became('u-1')).includes('vetoed'));
	await shop.happen('u-1', 'Order Completed', { order_id: 'A-1' });
	await smtp.waitFor(2);
	assert.equal((await readMail(smtp.messages()[1].raw)).text.trim(), 'A-1 is on its way');
});

test('a server that greets too late for an attempt gets the message once', async (t) => {
	const smtp = await startSmtp(t, { slow: { connect: 3000 } });
	const shop = await open(t, smtp.port, { connections: 1, limits: { delivery_ms: 2000 } });
	await shop.meet('u-4', 'dan@mail.example');
	await shop.happen('u-4', 'Order Completed', { order_id: 'A-7' });
	await until(async () => (await shop.became('u-4')).includes('sent'));
	// Whatever else was on its way would come over the connection that is open now.
	await new Promise((done) => setTimeout(done, 1500));
	assert.equal(smtp.messages().length, 1);
	const count = await metrics(shop);
	assert.equal(count.floorwalker_messages_lost_total, 0, 'each attempt was told of');
	assert.ok(count.floorwalker_messages_retried_total >= 1);
});

test('a server that asks to come back, or hangs up over the last line, is sent the same again; one that knows nobody there suppresses the address', async (t) => {
	const smtp = await startSmtp(t, { refuse: { rcpt: ({ nth }) => (nth < 3 ? '451 4.7.1 come back later' : undefined) }, drop: { end: ({ nth }) => nth < 3 } });
	const shop = await open(t, smtp.port);
	await shop.meet('u-2', 'bob@mail.example');
	await shop.happen('u-2', 'Order Completed', { order_id: 'A-2' });
	await smtp.waitFor(3);
	await until(async () => (await shop.became('u-2')).includes('sent'));
	// It had it all along: whoever gets a message more than once knows it by its ids.
	const mails = await Promise.all(smtp.messages().map(({ raw }) => readMail(raw)));
	assert.equal(mails.length, 3);
	for (const key of [(m) => m.messageId, (m) => m.headers.get('x-floorwalker-message'), (m) => m.subject + m.text]) {
		assert.ok(key(mails[0])?.length > 10, String(key(mails[0])));
		assert.deepEqual(mails.map(key), mails.map(() => key(mails[0])));
	}
	smtp.drop = {};
	smtp.refuse = { rcpt: '550 5.1.1 who is that?' };
	await shop.happen('u-2', 'Order Completed', { order_id: 'A-3' });
	await until(async () => (await shop.became('u-2')).includes('failed'));
	smtp.refuse = {};
	await shop.heard('u-2', 'Email Bounced');
	await shop.happen('u-2', 'Order Completed', { order_id: 'A-4' });
	await until(async () => (await shop.became('u-2')).includes('suppressed'));
	assert.equal(smtp.messages().length, 3);
});

test('a bounce of a real Exim suppresses the address', async (t) => {
	const sink = await startSmtp(t, { refuse: { rcpt: ({ address }) => (/^gone@/.test(address) ? '550 5.1.1 no such user' : undefined) } });
	const exim = await startExim(t, { smarthost: sink.port });
	const shop = await open(t, exim.port, { bounce_domain: 'bounce.shop.example' });
	await shop.meet('u-3', 'gone@mail.example');
	await shop.happen('u-3', 'Order Completed', { order_id: 'A-5' });
	// The relay takes it, and says later that it could not deliver.
	await until(async () => (await shop.became('u-3')).includes('sent'));
	const [report] = await sink.waitFor(1);
	assert.match(report.to[0], /^b\+[a-z0-9-]+@bounce\.shop\.example$/);
	const told = await fetch(`${shop.url}/email/bounces`, { method: 'POST', body: report.raw, headers: { 'content-type': 'message/rfc822', ...bearer(secret).headers } });
	const answer = await told.json();
	assert.deepEqual([told.status, answer.understood, answer.event], [200, true, 'bounced'], JSON.stringify(answer));
	await shop.happen('u-3', 'Order Completed', { order_id: 'A-6' });
	await until(async () => (await shop.became('u-3')).includes('suppressed'));
	assert.deepEqual(shop.list(), []);
});
