// The mail server of smtp.mjs's startSmtpAside: node smtp_aside.mjs PORT FILE MS. Each message that is whole is a line of the file, written
// before the sender hears so.

import { appendFileSync } from 'node:fs';
import { startSmtp } from './smtp.mjs';

const [port, file, ms] = process.argv.slice(2);
const whole = ({ to, text, at }) => appendFileSync(file, `${JSON.stringify({ to: to[0], id: text.match(/^X-Floorwalker-Message: (\S+)/im)?.[1], at })}\n`);
await startSmtp({ after: () => {} }, { port: Number(port), slow: { end: Number(ms) }, whole });
console.log('listens');
