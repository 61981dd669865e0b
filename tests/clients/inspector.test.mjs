// The Inspector's command line, the tool that people debug servers with, in its three eras and over both transports.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';

import { HttpServer, KEY, PROGRAM, SUBJECT, Sandbox } from './support/server.mjs';

const INSPECTOR = fileURLToPath(new URL('node_modules/.bin/mcp-inspector', import.meta.url));

describe(`${KEY}: Inspector`, { concurrency: false }, () => {
    let sandbox;
    let server;
    let place;

    before(async () => {
        sandbox = await Sandbox.start();
        server = await HttpServer.start(sandbox);
        place = await mkdtemp(join(tmpdir(), 'inspector-'));
        const mcpServers = {};
        for (const protocolEra of ['legacy', 'auto', 'modern']) {
            mcpServers[`stdio-${protocolEra}`] = { type: 'stdio', command: PROGRAM, args: [], env: sandbox.environment, protocolEra };
            mcpServers[`http-${protocolEra}`] = { type: 'streamable-http', url: server.url, protocolEra };
        }
        await writeFile(join(place, 'mcp.json'), JSON.stringify({ mcpServers }));
    });

    after(async () => {
        await server?.stop();
        await sandbox?.stop();
        await rm(place, { recursive: true, force: true });
    });

    /** Runs one method; gives the exit code and what was printed. */
    async function inspect(name, method, ...options) {
        const args = [INSPECTOR, '--cli', '--config', join(place, 'mcp.json'), '--server', name, '--method', method, '--format', 'json'];
        const child = spawn(process.execPath, [...args, ...options], {
            env: { ...process.env, HOME: place, MCP_INSPECTOR_SECRET_STORE: 'memory' },
            stdio: ['ignore', 'pipe', 'pipe'],
        });
        let out = '';
        let errors = '';
        child.stdout.on('data', (chunk) => (out += chunk));
        child.stderr.on('data', (chunk) => (errors += chunk));
        const [code] = await once(child, 'close');
        return { code, errors, json: out.trim() ? JSON.parse(out) : undefined };
    }

    const calling = (name, { tool, arguments: given }) =>
        inspect(name, 'tools/call', '--tool-name', tool, '--tool-args-json', JSON.stringify(given));

    for (const name of ['stdio-legacy', 'stdio-auto', 'stdio-modern', 'http-legacy', 'http-auto', 'http-modern']) {
        test(`${name}: lists, calls, reads`, async () => {
            const listed = await inspect(name, 'tools/list', '--strict');
            assert.equal(listed.code, 0, listed.errors);
            assert.ok(unwrap(listed.json).tools.some((tool) => tool.name === SUBJECT.list.tool));

            const called = await calling(name, SUBJECT.list);
            assert.equal(called.code, 0, called.errors);
            assert.match(unwrap(called.json).content[0].text, new RegExp(SUBJECT.row, 'm'));

            const failed = await calling(name, SUBJECT.gone);
            assert.equal(failed.code, 5, 'a tool error has its own exit code');

            const read = await inspect(name, 'resources/read', '--uri', SUBJECT.resource.uri);
            assert.equal(read.code, 0, read.errors);

            const { name: asked, arguments: given } = SUBJECT.simplePrompt;
            const pairs = Object.entries(given).map(([key, value]) => `${key}=${value}`);
            const prompt = await inspect(name, 'prompts/get', '--prompt-name', asked, ...(pairs.length ? ['--prompt-args', ...pairs] : []));
            assert.equal(prompt.code, 0, prompt.errors);
        });
    }
});

/** The result itself, whether or not it is printed in an envelope. */
function unwrap(json) {
    return json.result ?? json;
}
