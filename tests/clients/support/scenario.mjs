// What every client must be able to do with the server, whatever its SDK, transport and revision of the protocol.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Caller, HttpServer, KEY, PROGRAM, SUBJECT, Sandbox, fill } from './server.mjs';

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
    describe(`${KEY}: ${name} over ${transport}`, { concurrency: false }, () => {
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
        const use = ({ tool, arguments: args }, more = {}, options) => call(tool, { ...args, ...more }, options);

        test('negotiates the revision it asked for', () => {
            assert.equal(client.version(), expectVersion);
        });

        test('lists the tools, sorted, each with all its hints', async () => {
            const { tools } = await client.listTools();
            const names = tools.map((tool) => tool.name);
            assert.deepEqual(names, [...names].sort());
            for (const expected of SUBJECT.tools) {
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
            assert.match(text(result), new RegExp(SUBJECT.whoami), 'whose credential the sandbox gives');
        });

        test('pages through a list with the cursor', async () => {
            const seen = [];
            let next;
            for (let page = 0; page < 3; page += 1) {
                const result = await use(SUBJECT.list, { limit: 5, ...(next && { cursor: next }) });
                assert.ok(!result.isError, text(result));
                next = cursor(text(result));
                assert.ok(next, text(result));
                seen.push(rows(text(result)));
            }
            const all = seen.flat();
            assert.equal(all.length, 15, JSON.stringify(seen));
            assert.equal(new Set(all).size, all.length, 'no row twice');
        });

        test('gets an error that it can act on as a result', async () => {
            const result = await use(SUBJECT.gone);
            assert.equal(result.isError, true);
            assert.match(text(result), /^not_found: /);
            const unknown = await use(SUBJECT.slip);
            assert.equal(unknown.isError, true);
            assert.match(text(unknown), new RegExp(`^invalid_argument: .*\`?${SUBJECT.slip.meant}\`?`, 's'));
        });

        test('gets misuse of the protocol as a protocol error', async () => {
            await assert.rejects(call(SUBJECT.misspelt.tool), (error) => {
                assert.equal(error.code, -32602, error.message);
                assert.ok(error.message.includes(SUBJECT.misspelt.meant), error.message);
                return true;
            });
        });

        test('gives up a call in the middle, and goes on', async () => {
            await sandbox.slow(20_000);
            const stop = new AbortController();
            const started = performance.now();
            const given_up = assert.rejects(use(SUBJECT.slow, {}, { signal: stop.signal }));
            await sleep(300);
            stop.abort();
            await given_up;
            await sandbox.mend();
            const result = await use(SUBJECT.quick);
            assert.ok(!result.isError, text(result));
            assert.ok(performance.now() - started < 5_000, 'nothing waited for the call that was given up');
        });

        test('asks for progress and gets it only in order', async () => {
            const progress = [];
            const result = await use(SUBJECT.list, { limit: 50 }, { onprogress: (step) => progress.push(step.progress) });
            assert.ok(!result.isError, text(result));
            assert.deepEqual(progress, [...progress].sort((a, b) => a - b));
            assert.equal(new Set(progress).size, progress.length);
        });

        test('reads resources', async () => {
            const { resource, template } = SUBJECT;
            const { resources } = await client.listResources();
            assert.ok(resources.some(({ uri }) => uri === resource.uri));
            const { resourceTemplates } = await client.listResourceTemplates();
            assert.ok(resourceTemplates.some(({ uriTemplate }) => uriTemplate === template.template));
            const fixed = await client.readResource({ uri: resource.uri });
            assert.equal(fixed.contents[0].uri, resource.uri);
            assert.ok(fixed.contents[0].text.includes(resource.says), fixed.contents[0].text);
            const [row] = rows(text(await use(SUBJECT.list, { limit: 1 })));
            const read = await client.readResource({ uri: fill(template.uri, row) });
            assert.ok(read.contents[0].text.includes(row), read.contents[0].text);
        });

        test('gets an error for a resource that is not there', async () => {
            for (const uri of SUBJECT.missing) {
                await assert.rejects(client.readResource({ uri }), (error) => {
                    assert.equal(error.code, missing, `${uri}: ${error.message}`);
                    assert.equal(error.data?.uri, uri);
                    return true;
                });
            }
        });

        test('gets a prompt', async () => {
            const { name } = SUBJECT.prompt;
            const { prompts } = await client.listPrompts();
            assert.ok(prompts.some((prompt) => prompt.name === name));
            const [row] = rows(text(await use(SUBJECT.list, { limit: 1 })));
            const prompt = await client.getPrompt(fill(SUBJECT.prompt, row));
            assert.equal(prompt.messages[0].role, 'user');
            assert.ok(prompt.messages.some((message) => message.content.text?.includes(row)));
            await assert.rejects(client.getPrompt({ name, arguments: {} }), { code: -32602 });
        });

        test('completes arguments of prompts and templates', async () => {
            for (const { prompt, template, argument, typed, gives } of SUBJECT.completions) {
                const done = await client.complete({
                    ref: prompt ? { type: 'ref/prompt', name: prompt } : { type: 'ref/resource', uri: template },
                    argument: { name: argument, value: typed },
                });
                assert.ok(done.completion.values.includes(gives), JSON.stringify(done));
            }
        });

        test(asked ? 'is asked before harm is done' : 'confirms harm by a second call', async () => {
            const { harm } = SUBJECT;
            const there = async () => rows(text(await use(harm.list)), harm.row);
            const [row, other] = await there();
            const does = (more) => use(fill(harm.does, row), more);
            questions.length = 0;
            if (asked) {
                answer = 'decline';
                const declined = await does();
                assert.ok(questions.length === 1 && questions[0].includes(row), JSON.stringify(questions));
                assert.match(text(declined), /not|nothing/i);
                assert.ok((await there()).includes(row), 'declined: still there');
                answer = 'accept';
                const accepted = await does();
                assert.ok(!accepted.isError, text(accepted));
                assert.equal(questions.length, 2);
                assert.ok(!(await there()).includes(row), 'gone');
            } else {
                const preview = await does();
                assert.equal(questions.length, 0);
                const value = /"confirm": "([^"]+)"/.exec(text(preview))?.[1];
                assert.ok(value, text(preview));
                assert.ok((await there()).includes(row), 'only shown: still there');
                const elsewhere = await use(fill(harm.does, other), { confirm: value });
                assert.equal(elsewhere.isError, true, 'a confirmation of one thing does not do for another');
                const accepted = await does({ confirm: value });
                assert.ok(!accepted.isError, text(accepted));
                assert.ok(!(await there()).includes(row), 'gone');
                // As it was before: what is harmless to remove is not asked about.
                const was = /\b[0-9a-f]{40}\b/.exec(text(accepted))?.[0];
                await use(fill(harm.undo, row, was));
                const again = await does({ confirm: value });
                assert.equal(again.isError, true, `a confirmation works once: ${text(again)}`);
                assert.ok((await there()).includes(row), 'restored');
            }
        });
    });
}

/**
 * Calls more often than a caller may: the client must hand what is refused to its agent as a result, and go on.
 *
 * `connect(target)` as above; `target.headers` go with every request.
 */
export function overQuota(name, connect) {
    describe(`${KEY}: ${name} over its quota`, { concurrency: false }, () => {
        test('is told as a result when to call again, and still lists the tools', async () => {
            const sandbox = await Sandbox.start();
            const caller = new Caller();
            const server = await HttpServer.start(sandbox, '--api-keys-file', caller.file);
            const client = await connect({ url: server.url, headers: caller.headers }, () => 'accept');
            try {
                const refused = [];
                let calls = 0;
                // One comes back every 600 ms, and this client may be slow.
                for (; refused.length < 5 && calls < 500; calls += 1) {
                    const result = await client.callTool({ name: 'whoami', arguments: {} });
                    if (result.isError) refused.push(text(result));
                }
                assert.ok(refused.length === 5 && calls >= 105, `${refused.length} of ${calls} calls were refused`);
                for (const words of refused) assert.match(words, /^rate_limited: .*retry_after_s: \d+/s);
                const { tools } = await client.listTools();
                assert.ok(tools.some((tool) => tool.name === 'whoami'));
            } finally {
                await client.close();
                await server.stop();
                await sandbox.stop();
                caller.forget();
            }
        });
    });
}

/** What rows of a list begin with. */
function rows(words, pattern = SUBJECT.row) {
    return words.split('\n').map((line) => new RegExp(pattern).exec(line)?.[1]).filter(Boolean);
}
