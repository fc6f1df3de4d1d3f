// What befalls people, their caps and their messages, on Redis; at length their identities, and all that is told, asked and erased of them, too.
process.env.FW_STORE = 'redis';
await import('./release.mjs');
const { filesHere } = await import('./stores.mjs');
for (const name of filesHere) await import(`./${name}.test.mjs`);
