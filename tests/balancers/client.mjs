// Requests in the modern revision of the protocol, over connections that are kept.

import { Agent, request } from 'node:http';

const META = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
};

export class Client {
    #url;
    #key;
    #capabilities;
    #agent = new Agent({ keepAlive: true, maxSockets: 64 });

    constructor(url, key, capabilities = {}) {
        this.#url = url;
        this.#key = key;
        this.#capabilities = capabilities;
    }

    /** The result of a method; an error if there is none. */
    async ask(method, params = {}) {
        const meta = { ...META, 'io.modelcontextprotocol/clientCapabilities': this.#capabilities };
        const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } });
        const { status, text } = await this.#post(method, params.name, body);
        if (status !== 200) throw new Error(`HTTP ${status}: ${text.slice(0, 200)}`);
        const { result, error } = JSON.parse(text);
        if (!result) throw new Error(JSON.stringify(error));
        return result;
    }

    /** The result of a tool, whose text must not be an error. */
    async call(name, args, more = {}) {
        const result = await this.ask('tools/call', { name, arguments: args, ...more });
        if (result.isError) throw new Error(result.content[0].text);
        return result;
    }

    close() {
        this.#agent.destroy();
    }

    #post(method, name, body) {
        const headers = {
            accept: 'application/json, text/event-stream',
            authorization: `Bearer ${this.#key}`,
            'content-length': Buffer.byteLength(body),
            'content-type': 'application/json',
            'mcp-method': method,
            'mcp-protocol-version': META['io.modelcontextprotocol/protocolVersion'],
            ...(name && { 'mcp-name': name }),
        };
        return new Promise((resolve, reject) => {
            const asking = request(this.#url, { method: 'POST', agent: this.#agent, headers }, (answer) => {
                let text = '';
                answer.setEncoding('utf8');
                answer.on('data', (part) => (text += part));
                answer.on('end', () => resolve({ status: answer.statusCode, text }));
                answer.on('error', reject);
            });
            asking.on('error', reject);
            asking.end(body);
        });
    }
}
