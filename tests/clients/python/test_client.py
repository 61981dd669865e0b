"""The Python SDK against the server, in each of its ways to agree on a revision of the protocol."""

import asyncio
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request
from contextlib import contextmanager

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import ElicitResult, PromptReference

PROGRAM = os.environ["SERVER_UNDER_TEST"]
KEY = pathlib.Path(PROGRAM).name.removesuffix(".exe").removesuffix("-mcp")
# What the tests must know of this server: calls that fit its sandbox's story.
SUBJECT = json.loads((pathlib.Path(__file__).parents[3] / "servers" / KEY / "tests/suite/clients.json").read_text())
HINTS = ("read_only_hint", "destructive_hint", "idempotent_hint", "open_world_hint")


class Sandbox:
    """The vendor's fake, as a process of its own that a test can make slow."""

    def __init__(self):
        self.process = subprocess.Popen(
            [PROGRAM, "sandbox", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
        )
        words = ""
        while not (credential := re.search(r"credential (\S+?)\.?\s", words)):
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError(f"the sandbox ended before it said where it is: {words}")
            words += line
        self.api_url = re.search(r"http:\S+", words).group()
        reference = json.loads(subprocess.check_output([PROGRAM, "reference", "--json"]))
        self.environment = {
            **SUBJECT.get("environment", {}),
            reference["api_url"]: self.api_url,
            reference["credential"]: credential.group(1),
        }

    def control(self, method, path, body=None):
        request = urllib.request.Request(
            urllib.parse.urljoin(self.api_url, "/_sandbox/" + path),
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=5).close()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


@contextmanager
def http_server(sandbox, *options):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([PROGRAM, "serve", "--http", f"127.0.0.1:{port}", *options], env={**os.environ, **sandbox.environment})
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        assert process.wait(10) == 0, "the server did not stop cleanly"


def text(result):
    return "\n".join(part.text for part in result.content if part.type == "text")


def rows(words, pattern=SUBJECT["row"]):
    """What rows of a list begin with."""
    return re.findall(f"(?m){pattern}", words)


def fill(value, row):
    """`value` with `row` in the place of every `$row`."""
    return json.loads(json.dumps(value).replace("$row", row))


class Scenario:
    """What every client must be able to do; subclasses say how to connect."""

    mode = ""
    version = ""
    missing = 0
    transport = ""
    asked = False

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()
        cls.server = http_server(cls.sandbox) if cls.transport == "http" else None
        cls.target = (
            cls.server.__enter__() if cls.server else StdioServerParameters(command=PROGRAM, env=cls.sandbox.environment)
        )

    @classmethod
    def tearDownClass(cls):
        if cls.server:
            cls.server.__exit__(None, None, None)
        cls.sandbox.stop()

    def run_steps(self, steps):
        """Runs `steps` with a connected client."""
        self.questions = []
        self.answer = "accept"

        async def elicit(_context, params):
            self.questions.append(params.message)
            return ElicitResult(action=self.answer, content={} if self.answer == "accept" else None)

        async def main():
            with anyio.fail_after(60):
                async with Client(self.target, mode=self.mode, elicitation_callback=elicit) as client:
                    self.client = client
                    await steps()

        asyncio.run(main())

    async def call(self, tool, **arguments):
        return await self.client.call_tool(tool, arguments)

    async def use(self, call, **more):
        return await self.client.call_tool(call["tool"], {**call["arguments"], **more})

    def test_negotiates_the_revision_it_asked_for(self):
        async def steps():
            self.assertEqual(self.client.protocol_version, self.version)

        self.run_steps(steps)

    def test_lists_the_tools_each_with_all_its_hints(self):
        async def steps():
            tools = (await self.client.list_tools()).tools
            names = [tool.name for tool in tools]
            self.assertEqual(names, sorted(names))
            self.assertLessEqual(set(SUBJECT["tools"]), set(names))
            for tool in tools:
                for hint in HINTS:
                    self.assertIsInstance(getattr(tool.annotations, hint), bool, f"{tool.name} {hint}")

        self.run_steps(steps)

    def test_calls_tools_and_pages_with_the_cursor(self):
        async def steps():
            self.assertIn(SUBJECT["whoami"], text(await self.call("whoami")))
            first = text(await self.use(SUBJECT["list"], limit=5))
            cursor = re.search(r'cursor "([^"]+)"', first).group(1)
            second = text(await self.use(SUBJECT["list"], limit=5, cursor=cursor))
            self.assertEqual(len(set(rows(first) + rows(second))), 10, first + second)

        self.run_steps(steps)

    def test_gets_errors_it_can_act_on(self):
        async def steps():
            gone = await self.use(SUBJECT["gone"])
            self.assertTrue(gone.is_error)
            self.assertRegex(text(gone), "^not_found: ")
            with self.assertRaises(MCPError) as unknown:
                await self.call(SUBJECT["misspelt"]["tool"])
            self.assertEqual(unknown.exception.code, -32602)

        self.run_steps(steps)

    def test_gives_up_a_call_in_the_middle_and_goes_on(self):
        async def steps():
            self.sandbox.control("POST", "faults", {"operation": "*", "times": None, "fault": {"action": "delay", "ms": 20000}})
            started = time.monotonic()
            with anyio.move_on_after(0.5) as scope:
                await self.use(SUBJECT["slow"])
            self.assertTrue(scope.cancelled_caught)
            self.sandbox.control("DELETE", "faults")
            result = await self.use(SUBJECT["quick"])
            self.assertFalse(result.is_error, text(result))
            self.assertLess(time.monotonic() - started, 5)

        self.run_steps(steps)

    def test_reads_resources(self):
        async def steps():
            resources = (await self.client.list_resources()).resources
            resource = SUBJECT["resource"]
            self.assertIn(resource["uri"], [str(listed.uri) for listed in resources])
            templates = (await self.client.list_resource_templates()).resource_templates
            self.assertIn(SUBJECT["template"]["template"], [template.uri_template for template in templates])
            read = await self.client.read_resource(resource["uri"])
            self.assertIn(resource["says"], read.contents[0].text)
            with self.assertRaises(MCPError) as gone:
                await self.client.read_resource(SUBJECT["missing"][0])
            self.assertEqual(gone.exception.code, self.missing)

        self.run_steps(steps)

    def test_gets_prompts_and_completions(self):
        async def steps():
            row = rows(text(await self.use(SUBJECT["list"], limit=1)))[0]
            wanted = fill(SUBJECT["prompt"], row)
            prompt = await self.client.get_prompt(wanted["name"], wanted["arguments"])
            self.assertTrue(any(row in message.content.text for message in prompt.messages))
            completion = SUBJECT["completions"][0]
            done = await self.client.complete(
                PromptReference(type="ref/prompt", name=completion["prompt"]),
                {"name": completion["argument"], "value": completion["typed"]},
            )
            self.assertIn(completion["gives"], done.completion.values)

        self.run_steps(steps)

    def test_harm_needs_consent(self):
        async def steps():
            harm = SUBJECT["harm"]

            async def there():
                return rows(text(await self.use(harm["list"])), harm["row"])

            row = (await there())[0]
            does = fill(harm["does"], row)
            if self.asked:
                self.answer = "decline"
                await self.use(does)
                self.assertEqual(len(self.questions), 1)
                self.assertIn(row, await there())
                self.answer = "accept"
                accepted = await self.use(does)
            else:
                preview = text(await self.use(does))
                self.assertEqual(self.questions, [])
                self.assertIn(row, await there())
                value = re.search(r'"confirm": "([^"]+)"', preview).group(1)
                accepted = await self.use(does, confirm=value)
            self.assertFalse(accepted.is_error, text(accepted))
            self.assertNotIn(row, await there())

        self.run_steps(steps)


class LegacyOverStdio(Scenario, unittest.TestCase):
    mode, version, missing, transport, asked = "legacy", "2025-11-25", -32002, "stdio", True


class LegacyOverHttp(Scenario, unittest.TestCase):
    # Over HTTP the old revision has no way back to the client without sessions, which are off.
    mode, version, missing, transport, asked = "legacy", "2025-11-25", -32002, "http", False


class AutoOverStdio(Scenario, unittest.TestCase):
    mode, version, missing, transport, asked = "auto", "2026-07-28", -32602, "stdio", True


class AutoOverHttp(Scenario, unittest.TestCase):
    mode, version, missing, transport, asked = "auto", "2026-07-28", -32602, "http", True


class PinnedOverStdio(Scenario, unittest.TestCase):
    mode, version, missing, transport, asked = "2026-07-28", "2026-07-28", -32602, "stdio", True


class PinnedOverHttp(Scenario, unittest.TestCase):
    mode, version, missing, transport, asked = "2026-07-28", "2026-07-28", -32602, "http", True


class OverQuota(unittest.TestCase):
    """Who calls more often than they may is told so as a result, and goes on."""

    def setUp(self):
        made = subprocess.run([PROGRAM, "keys", "new", "tester"], capture_output=True, text=True, check=True)
        keys = tempfile.NamedTemporaryFile("w", suffix="-keys")
        self.addCleanup(keys.close)
        keys.write(made.stdout)
        keys.flush()
        self.headers = {"authorization": "Bearer " + re.search(r"mcp_[\w-]+", made.stderr).group()}
        sandbox = Sandbox()
        self.addCleanup(sandbox.stop)
        server = http_server(sandbox, "--api-keys-file", keys.name)
        self.url = server.__enter__()
        self.addCleanup(server.__exit__, None, None, None)

    async def calls(self, mode):
        with anyio.fail_after(60):
            async with create_mcp_http_client(self.headers) as http:
                async with Client(streamable_http_client(self.url, http_client=http), mode=mode) as client:
                    refused, calls = [], 0
                    # One comes back every 600 ms, and this client may be slow.
                    while len(refused) < 5 and calls < 500:
                        result = await client.call_tool("whoami", {})
                        refused += [text(result)] if result.is_error else []
                        calls += 1
                    tools = (await client.list_tools()).tools
        self.assertEqual(len(refused), 5, calls)
        self.assertGreaterEqual(calls, 105)
        for words in refused:
            self.assertRegex(words, r"(?s)^rate_limited: .*retry_after_s: \d+")
        self.assertIn("whoami", [tool.name for tool in tools])

    def test_legacy(self):
        asyncio.run(self.calls("legacy"))

    def test_modern(self):
        asyncio.run(self.calls("2026-07-28"))


if __name__ == "__main__":
    outcome = unittest.main(verbosity=2, exit=False).result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - failed} passed, {failed} failed")
    sys.exit(bool(failed))
