// The TypeScript SDK, first major: what most clients out there are built with.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

import { overQuota, scenario } from './support/scenario.mjs';

async function connect(target, elicit) {
    const client = new Client({ name: 'typescript-v1', version: '1' }, { capabilities: { elicitation: {} } });
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({ action: elicit(params.message), content: {} }));
    const transport = target.url
        ? new StreamableHTTPClientTransport(new URL(target.url), { requestInit: { headers: target.headers } })
        : new StdioClientTransport({ command: target.command, args: target.args, env: target.env });
    let version;
    // The version agreed on is told to the transport alone.
    const told = transport.setProtocolVersion?.bind(transport);
    transport.setProtocolVersion = (agreed) => {
        version = agreed;
        told?.(agreed);
    };
    await client.connect(transport);
    const callTool = client.callTool.bind(client);
    client.callTool = (params, options) => callTool(params, undefined, options);
    client.version = () => version;
    return client;
}

for (const transport of ['stdio', 'http']) {
    scenario('TypeScript SDK v1', {
        transport,
        connect,
        // Over HTTP the old revision has no way back to the client without sessions, which are off.
        asked: transport === 'stdio',
        missing: -32002,
        expectVersion: '2025-11-25',
    });
}

overQuota('TypeScript SDK v1', connect);
