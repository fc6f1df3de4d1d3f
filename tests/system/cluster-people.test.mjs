// What befalls people, their identities and their caps, on a Redis Cluster: all of it at length, otherwise what a single Redis
// does not show.
process.env.FW_STORE = 'cluster';
const names = process.env.FW_LONG ? ['household', 'caps', 'faults', 'faults-client', 'identity-faults'] : ['caps', 'identity-faults'];
for (const name of names) await import(`./${name}.test.mjs`);
