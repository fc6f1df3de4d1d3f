// What befalls people, their identities and their caps, on a Redis Cluster.
process.env.FW_STORE = 'cluster';
for (const name of ['household', 'caps', 'faults', 'faults-client', 'identity-faults']) await import(`./${name}.test.mjs`);
