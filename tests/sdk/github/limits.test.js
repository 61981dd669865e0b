// octokit's own ways to meet limits and failures.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";
import { Octokit } from "@octokit/rest";

import { baseUrl, control, journal, MAYA, REPO, reset } from "./sandbox.js";

beforeEach(reset);

/** A client that throttles, and what it was told of limits. */
function throttled({ again = false, meanwhile = () => {}, retry: retries, ...more } = {}) {
  const told = [];
  const hear = (kind) => (retryAfter, options) => {
    told.push({ kind, retryAfter, url: options.url });
    meanwhile();
    return again && told.length === 1;
  };
  const octokit = new (Octokit.plugin(throttling, retry))({
    auth: MAYA,
    baseUrl,
    retry: retries,
    throttle: { onRateLimit: hear("primary"), onSecondaryRateLimit: hear("secondary"), ...more },
  });
  return { octokit, told };
}

test("a spent budget is told with its end", async () => {
  await control("/_github/limits", { resource: "core", remaining: 0 });
  const { octokit, told } = throttled();
  await assert.rejects(octokit.rest.repos.get(REPO), { status: 403 });
  assert.equal(told.length, 1);
  assert.equal(told[0].kind, "primary");
  assert.ok(told[0].retryAfter > 3500 && told[0].retryAfter <= 3602, String(told[0].retryAfter));
});

test("a secondary limit is told with the time that GitHub gives", async () => {
  await control("/_github/limits", { resource: "rest_points", remaining: 0 });
  const { octokit, told } = throttled();
  await assert.rejects(octokit.rest.repos.get(REPO), { status: 403 });
  assert.equal(told[0].kind, "secondary");
  assert.ok(told[0].retryAfter > 0 && told[0].retryAfter <= 60, String(told[0].retryAfter));
});

test("too much content without a time is tried again after a while", async () => {
  await control("/_github/limits", { resource: "content", remaining: 0 });
  // Time passes for the sandbox while octokit waits.
  const meanwhile = () => void control("/_sandbox/clock", { advance_s: 60 });
  const { octokit, told } = throttled({ again: true, meanwhile, fallbackSecondaryRateRetryAfter: 1 });
  const { status } = await octokit.rest.issues.createLabel({ ...REPO, name: "again", color: "00ff00" });
  assert.equal(status, 201);
  assert.equal(told[0].kind, "secondary");
});

test("a spent GraphQL budget is one although it comes as 200", async () => {
  await control("/_github/limits", { resource: "graphql", remaining: 0 });
  const { octokit, told } = throttled();
  await assert.rejects(octokit.graphql("query { viewer { login } }"), /rate limit/i);
  assert.equal(told[0].kind, "primary");
});

test("failures are tried again, refusals are not", async () => {
  const { octokit } = throttled({ retry: { retryAfterBaseValue: 10 } });
  const operation = "GET /repos/{owner}/{repo}";
  await control("/_sandbox/faults", { operation, times: 1, fault: { action: "status", code: 502 } });
  const { data } = await octokit.rest.repos.get(REPO);
  assert.equal(data.name, "import-api");
  assert.equal((await journal(operation)).length, 2);
  await assert.rejects(octokit.rest.repos.get({ ...REPO, repo: "nothing" }), { status: 404 });
  assert.equal((await journal(operation)).length, 3);
});
