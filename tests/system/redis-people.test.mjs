// What befalls people, their identities and their caps, on Redis.
process.env.FW_STORE = 'redis';
for (const name of ['household', 'caps', 'faults', 'faults-client', 'identity-faults']) await import(`./${name}.test.mjs`);
