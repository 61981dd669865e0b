// The sandbox, as the tests speak to it. GITHUB_API_URL says where it answers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const given = process.env.GITHUB_API_URL;
assert.ok(given, "GITHUB_API_URL must say where the sandbox answers");

/** Without a slash at its end, as octokit wants it. */
export const baseUrl = given.replace(/\/+$/, "");

export const MAYA = "ghu_sandbox0maya0everything";
export const CLASSIC = "ghp_sandbox0maya0classic";

/** The app of the seed, and the key that only tests have. */
export const APP = { appId: 4100, clientId: "Iv1.sandbox0app", installationId: 5100 };
export const appKey = readFileSync(new URL("../../../servers/github/tests/it/app_key.pem", import.meta.url), "utf8");

export const REPO = { owner: "harbor-example", repo: "import-api" };

/** One request; JSON comes parsed. */
export async function ask(method, path, { body, token = MAYA, headers = {} } = {}) {
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    redirect: "manual",
    headers: {
      "user-agent": "conformance",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const json = (response.headers.get("content-type") ?? "").startsWith("application/json");
  return { status: response.status, headers: response.headers, body: json && text ? JSON.parse(text) : text };
}

/** One of the routes that GitHub does not have. */
export async function control(path, body, token = MAYA) {
  const answer = await ask("POST", path, { body, token });
  assert.ok(answer.status < 300, `${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Everything as at the start. */
export const reset = () => control("/_sandbox/reset", {});

/** The requests of an operation so far. */
export const journal = async (operation) =>
  (await ask("GET", `/_sandbox/journal?operation=${encodeURIComponent(operation)}`)).body;
