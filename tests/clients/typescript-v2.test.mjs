// The TypeScript SDK, second major, in each of its ways to agree on a revision of the protocol.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { overQuota, scenario } from './support/scenario.mjs';

const connectAs = (mode) => async (target, elicit) => {
    const client = new Client(
        { name: 'typescript-v2', version: '1' },
        { capabilities: { elicitation: {} }, versionNegotiation: { mode } },
    );
    client.setRequestHandler('elicitation/create', ({ params }) => ({ action: elicit(params.message), content: {} }));
    await client.connect(
        target.url
            ? new StreamableHTTPClientTransport(new URL(target.url), { requestInit: { headers: target.headers } })
            : new StdioClientTransport({ command: target.command, args: target.args, env: target.env }),
    );
    client.version = () => client.getNegotiatedProtocolVersion();
    return client;
};

for (const transport of ['stdio', 'http']) {
    scenario('TypeScript SDK v2 (legacy)', {
        transport,
        connect: connectAs('legacy'),
        // Over HTTP the old revision has no way back to the client without sessions, which are off.
        asked: transport === 'stdio',
        // The server says -32002, as that revision has it; this SDK makes the new code of both.
        missing: -32602,
        expectVersion: '2025-11-25',
    });
    for (const [name, mode] of [['auto', 'auto'], ['pinned', { pin: '2026-07-28' }]]) {
        scenario(`TypeScript SDK v2 (${name})`, {
            transport,
            connect: connectAs(mode),
            asked: true,
            missing: -32602,
            expectVersion: '2026-07-28',
        });
    }
}

for (const [name, mode] of [['legacy', 'legacy'], ['pinned', { pin: '2026-07-28' }]]) {
    overQuota(`TypeScript SDK v2 (${name})`, connectAs(mode));
}
