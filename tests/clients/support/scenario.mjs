// What every client must be able to do with the server, whatever its SDK, transport and revision of the protocol.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { HttpServer, PROGRAM, Sandbox } from './server.mjs';

const text = (result) => result.content.filter((part) => part.type === 'text').map((part) => part.text).join('\n');
const cursor = (words) => /cursor "([^"]+)"/.exec(words)?.[1];

/**
 * Runs the scenario.
 *
 * `connect(target, elicit)` gives a client with the methods of the TypeScript SDK; `target` is `{ command, args, env }`
 * or `{ url }`, and `elicit(message)` answers the server's questions with 'accept' or 'decline'.
 * `asked` says whether this client is asked through the protocol before harm is done; any other confirms by a second
 * call. `missing` is the error code for a resource that is not there.
 */
export function scenario(name, { transport, connect, asked, missing, expectVersion }) {
    describe(`${name} over ${transport}`, { concurrency: false }, () => {
        let sandbox;
        let server;
        let client;
        let answer = 'accept';
        const questions = [];

        before(async () => {
            sandbox = await Sandbox.start();
            let target;
            if (transport === 'http') {
                server = await HttpServer.start(sandbox);
                target = { url: server.url };
            } else {
                target = { command: PROGRAM, args: [], env: sandbox.environment };
            }
            client = await connect(target, (question) => {
                questions.push(question);
                return answer;
            });
        });

        after(async () => {
            await client?.close();
            const code = await server?.stop();
            await sandbox?.stop();
            assert.ok(code === undefined || code === 0, `the server ended with ${code}`);
        });

        const call = (tool, args = {}, options) => client.callTool({ name: tool, arguments: args }, options);

        test('negotiates the revision it asked for', () => {
            assert.equal(client.version(), expectVersion);
        });

        test('lists the tools, sorted, each with all its hints', async () => {
            const { tools } = await client.listTools();
            const names = tools.map((tool) => tool.name);
            assert.deepEqual(names, [...names].sort());
            for (const expected of ['whoami', 'search', 'list_issues', 'get_issue', 'create_issue', 'archive_issue']) {
                assert.ok(names.includes(expected), expected);
            }
            for (const tool of tools) {
                for (const hint of ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint']) {
                    assert.equal(typeof tool.annotations?.[hint], 'boolean', `${tool.name} ${hint}`);
                }
                assert.equal(tool.inputSchema.additionalProperties, false, tool.name);
            }
        });

        test('calls a tool', async () => {
            const result = await call('whoami');
            assert.ok(!result.isError, text(result));
            assert.match(text(result), /Harbor/, 'the company of the sandbox');
        });

        test('pages through a list with the cursor', async () => {
            const seen = [];
            let next;
            for (let page = 0; page < 3; page += 1) {
                const result = await call('list_issues', { team: 'ENG', limit: 5, ...(next && { cursor: next }) });
                assert.ok(!result.isError, text(result));
                next = cursor(text(result));
                assert.ok(next, text(result));
                seen.push(rows(text(result)));
            }
            const all = seen.flat();
            assert.equal(all.length, 15, JSON.stringify(seen));
            assert.equal(new Set(all).size, all.length, 'no issue twice');
        });

        test('gets an error that it can act on as a result', async () => {
            const result = await call('get_issue', { id: 'ENG-99999' });
            assert.equal(result.isError, true);
            assert.match(text(result), /^not_found: /);
            const unknown = await call('list_issues', { taem: 'ENG' });
            assert.equal(unknown.isError, true);
            assert.match(text(unknown), /^invalid_argument: .*`?team`?/s);
        });

        test('gets misuse of the protocol as a protocol error', async () => {
            await assert.rejects(call('list_isues'), (error) => {
                assert.equal(error.code, -32602, error.message);
                assert.match(error.message, /list_issues/);
                return true;
            });
        });

        test('gives up a call in the middle, and goes on', async () => {
            await sandbox.slow(20_000);
            const stop = new AbortController();
            const started = performance.now();
            const given_up = assert.rejects(call('list_issues', { team: 'OPS' }, { signal: stop.signal }));
            await sleep(300);
            stop.abort();
            await given_up;
            await sandbox.mend();
            const result = await call('list_issues', { team: 'GRO', limit: 3 });
            assert.ok(!result.isError, text(result));
            assert.ok(performance.now() - started < 5_000, 'nothing waited for the call that was given up');
        });

        test('asks for progress and gets it only in order', async () => {
            const progress = [];
            const result = await call('list_issues', { team: 'ENG', limit: 50 }, { onprogress: (step) => progress.push(step.progress) });
            assert.ok(!result.isError, text(result));
            assert.deepEqual(progress, [...progress].sort((a, b) => a - b));
            assert.equal(new Set(progress).size, progress.length);
        });

        test('reads resources', async () => {
            const { resources } = await client.listResources();
            assert.ok(resources.some((resource) => resource.uri === 'linear://workspace'));
            const { resourceTemplates } = await client.listResourceTemplates();
            assert.ok(resourceTemplates.some((template) => template.uriTemplate === 'linear://issue/{identifier}'));
            const workspace = await client.readResource({ uri: 'linear://workspace' });
            assert.equal(workspace.contents[0].uri, 'linear://workspace');
            assert.match(workspace.contents[0].text, /ENG/);
            const [issue] = rows(text(await call('list_issues', { team: 'ENG', limit: 1 })));
            const read = await client.readResource({ uri: `linear://issue/${issue}` });
            assert.ok(read.contents[0].text.includes(issue), read.contents[0].text);
        });

        test('gets an error for a resource that is not there', async () => {
            for (const uri of ['linear://nothing/here', 'linear://issue/ENG-99999']) {
                await assert.rejects(client.readResource({ uri }), (error) => {
                    assert.equal(error.code, missing, `${uri}: ${error.message}`);
                    assert.equal(error.data?.uri, uri);
                    return true;
                });
            }
        });

        test('gets a prompt', async () => {
            const { prompts } = await client.listPrompts();
            assert.ok(prompts.some((prompt) => prompt.name === 'triage_issue'));
            const [issue] = rows(text(await call('list_issues', { team: 'ENG', limit: 1 })));
            const prompt = await client.getPrompt({ name: 'triage_issue', arguments: { identifier: issue } });
            assert.equal(prompt.messages[0].role, 'user');
            assert.ok(prompt.messages.some((message) => message.content.text?.includes(issue)));
            await assert.rejects(client.getPrompt({ name: 'triage_issue', arguments: {} }), { code: -32602 });
        });

        test('completes arguments of prompts and templates', async () => {
            const ofPrompt = await client.complete({
                ref: { type: 'ref/prompt', name: 'standup' },
                argument: { name: 'team', value: 'E' },
            });
            assert.ok(ofPrompt.completion.values.includes('ENG'), JSON.stringify(ofPrompt));
            const ofTemplate = await client.complete({
                ref: { type: 'ref/resource', uri: 'linear://team/{team}' },
                argument: { name: 'team', value: 'o' },
            });
            assert.ok(ofTemplate.completion.values.includes('OPS'), JSON.stringify(ofTemplate));
        });

        test(asked ? 'is asked before harm is done' : 'confirms harm by a second call', async () => {
            const [issue, other] = rows(text(await call('list_issues', { team: 'OPS', limit: 2 })));
            const trash = { id: issue, mode: 'trash' };
            const listed = async (identifier) => rows(text(await call('list_issues', { team: 'OPS', limit: 100 }))).includes(identifier);
            questions.length = 0;
            if (asked) {
                answer = 'decline';
                const declined = await call('archive_issue', trash);
                assert.ok(questions.length === 1 && questions[0].includes(issue), JSON.stringify(questions));
                assert.match(text(declined), /not|nothing/i);
                assert.ok(await listed(issue), 'declined: still there');
                answer = 'accept';
                const accepted = await call('archive_issue', trash);
                assert.ok(!accepted.isError, text(accepted));
                assert.equal(questions.length, 2);
                assert.ok(!(await listed(issue)), 'gone');
            } else {
                const preview = await call('archive_issue', trash);
                assert.equal(questions.length, 0);
                const value = /"confirm": "([^"]+)"/.exec(text(preview))?.[1];
                assert.ok(value, text(preview));
                assert.ok(await listed(issue), 'only shown: still there');
                const elsewhere = await call('archive_issue', { id: other, mode: 'trash', confirm: value });
                assert.equal(elsewhere.isError, true, 'a confirmation of one issue does not do for another');
                const accepted = await call('archive_issue', { ...trash, confirm: value });
                assert.ok(!accepted.isError, text(accepted));
                assert.ok(!(await listed(issue)), 'gone');
                await call('archive_issue', { id: issue, mode: 'restore' });
                const again = await call('archive_issue', { ...trash, confirm: value });
                assert.equal(again.isError, true, 'a confirmation works once');
                assert.ok(await listed(issue), 'restored');
            }
        });
    });
}

/** The identifiers that rows of a list begin with. */
function rows(words) {
    return words.split('\n').map((line) => /^\W*([A-Z]{3}-\d+)\b/.exec(line)?.[1]).filter(Boolean);
}
