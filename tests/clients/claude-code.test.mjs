// Claude Code's command line: what `claude mcp add` registers connects, and `claude mcp list` says so. Without login.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { after, before, describe, test } from 'node:test';

import { HttpServer, KEY, PROGRAM, Sandbox } from './support/server.mjs';

// The program itself, from the package of this platform; the launcher would be put there by an install script.
const CLAUDE = fileURLToPath(
    new URL(`node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`, import.meta.url),
);

describe(`${KEY}: Claude Code`, { skip: existsSync(CLAUDE) ? false : `no build for ${process.platform}-${process.arch}`, concurrency: false }, () => {
    let sandbox;
    let server;
    let place;

    before(async () => {
        sandbox = await Sandbox.start();
        server = await HttpServer.start(sandbox);
        place = await mkdtemp(join(tmpdir(), 'claude-'));
    });

    after(async () => {
        await server?.stop();
        await sandbox?.stop();
        await rm(place, { recursive: true, force: true });
    });

    const claude = async (...args) => {
        const { stdout } = await promisify(execFile)(CLAUDE, ['mcp', ...args], {
            cwd: place,
            timeout: 60_000,
            env: {
                PATH: process.env.PATH,
                HOME: place,
                CLAUDE_CONFIG_DIR: place,
                DISABLE_AUTOUPDATER: '1',
                CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
            },
        });
        return stdout;
    };

    test('connects to the server on stdio', async () => {
        const variables = Object.entries(sandbox.environment).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
        await claude('add', 'on-stdio', ...variables, '--', PROGRAM);
        assert.match(await claude('list'), /^on-stdio: .*Connected/m);
        assert.match(await claude('get', 'on-stdio'), /Connected/);
    });

    test('connects to the server over HTTP with an API key, and not without one', async () => {
        const key = 'a-key-of-this-test';
        const keys = join(place, 'api-keys');
        await writeFile(keys, `claude sha256:${createHash('sha256').update(key).digest('hex')}\n`);
        const guarded = await HttpServer.start(sandbox, '--api-keys-file', keys);
        try {
            await claude('add', '--transport', 'http', 'with-key', guarded.url, '--header', `Authorization: Bearer ${key}`);
            await claude('add', '--transport', 'http', 'without-key', guarded.url);
            const listed = await claude('list');
            assert.match(listed, /^with-key: .*Connected/m);
            assert.doesNotMatch(listed, /^without-key: .*Connected/m);
        } finally {
            await guarded.stop();
        }
    });

    test('connects to the server over HTTP', async () => {
        await claude('add', '--transport', 'http', 'over-http', server.url);
        assert.match(await claude('list'), /^over-http: .*Connected/m);
        assert.match(await claude('get', 'over-http'), /Connected/);
    });
});
