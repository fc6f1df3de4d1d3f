// What befalls people, their identities, their caps and their messages, and what is told, asked and erased of them, on a Redis Cluster:
// all of it at length, otherwise what a single Redis does not show.
process.env.FW_STORE = 'cluster';
await import('./release.mjs');
const { filesHere } = await import('./stores.mjs');
for (const name of filesHere) await import(`./${name}.test.mjs`);
