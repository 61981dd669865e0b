// load.mjs URL KEY RATE REQUESTS: so many requests a second, whatever becomes of those before. Fails if one of them does.

import { Client } from './client.mjs';

const [url, key, rate, requests] = process.argv.slice(2);
const client = new Client(url, key);
const failures = new Map();
const begun = performance.now();
const asked = [];
for (let count = 0; count < Number(requests); count += 1) {
    const due = begun + (count * 1000) / Number(rate);
    const wait = due - performance.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    const one = count % 2 === 0 ? client.ask('tools/list') : client.call('whoami', {});
    asked.push(
        one.catch((error) => {
            const at = ((performance.now() - begun) / 1000).toFixed(1);
            const seen = failures.get(error.message) ?? { count: 0, at };
            failures.set(error.message, { ...seen, count: seen.count + 1 });
        }),
    );
}
await Promise.all(asked);
client.close();
const failed = [...failures.values()].reduce((sum, { count }) => sum + count, 0);
console.log(`${failed} of ${requests} requests failed, in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
for (const [message, { count, at }] of failures) console.log(`    ${count} times, first after ${at} s: ${message}`);
process.exit(failed === 0 ? 0 : 1);
