// The server under test: its sandbox as a process of its own, so that a test can make the vendor slow or broken, and
// the server on stdio or over HTTP before it.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** The server's program; `run` sets it. */
export const PROGRAM = process.env.SERVER_UNDER_TEST;
if (!PROGRAM) throw new Error('SERVER_UNDER_TEST is not set: start the tests with tests/clients/run');

/** The server's key, as in its program's name: `linear`. */
export const KEY = basename(PROGRAM).replace(/-mcp(\.exe)?$/, '');

/** What the tests must know of this server: calls that fit its sandbox's story. */
export const SUBJECT = JSON.parse(readFileSync(new URL(`../../../servers/${KEY}/tests/suite/clients.json`, import.meta.url), 'utf8'));

/** The server's names and variables, as its program tells them. */
const REFERENCE = JSON.parse(execFileSync(PROGRAM, ['reference', '--json'], { encoding: 'utf8' }));

/** `value` with `row` in the place of every `$row`, and with the commit where it stood in that of `$was`. */
export function fill(value, row, was = '') {
    return JSON.parse(JSON.stringify(value).replaceAll('$row', row).replaceAll('$was', was));
}

/** The sandbox of one test file, and what a server needs to use it. */
export class Sandbox {
    #process;
    #control;

    static async start() {
        const sandbox = new Sandbox();
        sandbox.#process = spawn(PROGRAM, ['sandbox', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
        const words = await firstOutput(sandbox.#process, /credential (\S+?)\.?\s/);
        sandbox.apiUrl = /(http:\S+)/.exec(words)[1];
        sandbox.credential = /credential (\S+?)\.?\s/.exec(words)[1];
        sandbox.#control = new URL('/_sandbox/', sandbox.apiUrl);
        return sandbox;
    }

    /** What the server must find in its environment, and nothing else of the vendor's. */
    get environment() {
        return { ...SUBJECT.environment, [REFERENCE.api_url]: this.apiUrl, [REFERENCE.credential]: this.credential };
    }

    async #ask(method, path, body) {
        const answer = await fetch(new URL(path, this.#control), {
            method,
            headers: { 'content-type': 'application/json' },
            body: body === undefined ? undefined : JSON.stringify(body),
        });
        if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
        const text = await answer.text();
        return text ? JSON.parse(text) : undefined;
    }

    /** Every request from now on waits this long before the vendor looks at it. */
    slow(milliseconds) {
        return this.#ask('POST', 'faults', { operation: '*', times: null, fault: { action: 'delay', ms: milliseconds } });
    }

    mend() {
        return this.#ask('DELETE', 'faults');
    }

    reset() {
        return this.#ask('POST', 'reset', {});
    }

    stop() {
        return end(this.#process);
    }
}

/** The server over HTTP, in front of `sandbox`. */
export class HttpServer {
    #process;

    static async start(sandbox, ...options) {
        const server = new HttpServer();
        const port = await freePort();
        server.url = `http://127.0.0.1:${port}/mcp`;
        server.#process = spawn(PROGRAM, ['serve', '--lame-duck-seconds', '0', '--http', `127.0.0.1:${port}`, ...options], {
            env: { PATH: process.env.PATH, HOME: process.env.HOME, ...sandbox.environment },
            stdio: ['ignore', 'ignore', 'inherit'],
        });
        for (let tries = 0; tries < 100; tries += 1) {
            const answer = await fetch(new URL('/readyz', server.url)).catch(() => undefined);
            if (answer?.ok) return server;
            await sleep(50);
        }
        throw new Error('the server did not become ready');
    }

    /** @returns the exit code: 0 after a graceful stop. */
    stop() {
        return end(this.#process);
    }
}

/** Somebody with a key, and the file that tells a server of it. */
export class Caller {
    #folder = mkdtempSync(join(tmpdir(), 'caller-'));

    constructor() {
        const { stdout, stderr } = spawnSync(PROGRAM, ['keys', 'new', 'tester'], { encoding: 'utf8' });
        this.file = join(this.#folder, 'keys');
        writeFileSync(this.file, stdout);
        this.headers = { authorization: `Bearer ${/mcp_[\w-]+/.exec(stderr)[0]}` };
    }

    forget() {
        rmSync(this.#folder, { recursive: true });
    }
}

async function end(child) {
    if (child.exitCode !== null) return child.exitCode;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    const [code] = await exit;
    return code;
}

async function firstOutput(child, pattern) {
    let words = '';
    for await (const chunk of child.stdout) {
        words += chunk;
        if (pattern.test(words)) {
            child.stdout.resume();
            return words;
        }
    }
    throw new Error(`the sandbox ended before it said where it is: ${words}`);
}

async function freePort() {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address();
    probe.close();
    return port;
}
