// confirmations.mjs URL KEY: what one replica asks is answered to the other, again and again, in both ways of asking.
// The balancer gives every request to the next replica.

import { Client } from './client.mjs';

const [url, key] = process.argv.slice(2);
const TIMES = 10;

const plain = new Client(url, key);
const asking = new Client(url, key, { elicitation: { form: {} } });

async function issue(title) {
    const made = await plain.call('create_issue', { title, team: 'ENG' });
    return made.content[0].text.match(/\b[A-Z]{3}-\d+\b/)[0];
}

let wrong = 0;
async function check(name, work) {
    for (let time = 0; time < TIMES; time += 1) {
        try {
            await work(time);
        } catch (error) {
            wrong += 1;
            console.log(`not ok - ${name}, time ${time}: ${error.message}`);
            return;
        }
    }
    console.log(`ok - ${name}, ${TIMES} times`);
}

await check('a value for the second call', async (time) => {
    const trash = { id: await issue(`Second call ${time}`), mode: 'trash' };
    const preview = await plain.call('archive_issue', trash);
    const confirm = preview.content[0].text.match(/"confirm": "([^"]+)"/)[1];
    await plain.call('archive_issue', { ...trash, confirm });
});

await check('a question of the protocol', async (time) => {
    const trash = { id: await issue(`Question ${time}`), mode: 'trash' };
    const question = await asking.ask('tools/call', { name: 'archive_issue', arguments: trash });
    if (!question.requestState) throw new Error(`it does not ask: ${JSON.stringify(question)}`);
    await asking.call('archive_issue', trash, {
        requestState: question.requestState,
        inputResponses: { confirm: { action: 'accept', content: {} } },
    });
});

await check('a cursor', async () => {
    const first = await plain.call('list_issues', { team: 'ENG', limit: 3 });
    const cursor = first.content[0].text.match(/cursor[^A-Za-z0-9_-]+([A-Za-z0-9_-]{16,})/)[1];
    await plain.call('list_issues', { team: 'ENG', limit: 3, cursor });
});

plain.close();
asking.close();
process.exit(wrong === 0 ? 0 : 1);
