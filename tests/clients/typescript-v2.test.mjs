// The TypeScript SDK, second major, in each of its ways to agree on a revision of the protocol.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { scenario } from './support/scenario.mjs';

const connectAs = (mode) => async (target, elicit) => {
    const client = new Client(
        { name: 'typescript-v2', version: '1' },
        { capabilities: { elicitation: {} }, versionNegotiation: { mode } },
    );
    client.setRequestHandler('elicitation/create', ({ params }) => ({ action: elicit(params.message), content: {} }));
    await client.connect(
        target.url
            ? new StreamableHTTPClientTransport(new URL(target.url))
            : new StdioClientTransport({ command: target.command, args: target.args, env: target.env }),
    );
    client.version = () => client.getNegotiatedProtocolVersion();
    return client;
};

for (const transport of ['stdio', 'http']) {
    scenario('TypeScript SDK v2 (legacy)', {
        transport,
        connect: connectAs('legacy'),
        asked: transport === 'stdio',
        missing: -32002,
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
