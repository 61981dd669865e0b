// Every route of the sandbox answers in the shape that GitHub describes.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { createAppAuth } from "@octokit/auth-app";
import { request } from "@octokit/request";

import { calls, notDescribed, placeholders } from "./calls.js";
import { APP, appKey, ask, baseUrl, control, MAYA, reset } from "./sandbox.js";
import { faults, operation } from "./shapes.js";

const appAuth = createAppAuth({ ...APP, privateKey: appKey, request: request.defaults({ baseUrl }) });

/** The token that a call is made with. */
const tokens = {
  app: async () => (await appAuth({ type: "app" })).token,
  installation: async () => (await appAuth({ type: "installation", refresh: true })).token,
  user: async () => {
    const token = "ghu_conformance";
    await control("/_github/tokens", { token, kind: "user_to_server", login: "maya", permissions: { metadata: "read" } });
    return token;
  },
};

function address(route, how) {
  const path = route.split(" ")[1].replace(/\{(\w+)\}/g, (_, name) => {
    const value = how[name] ?? placeholders[name];
    assert.notEqual(value, undefined, `no value for {${name}}`);
    return encodeURIComponent(value);
  });
  const query = new URLSearchParams(how.query ?? {}).toString();
  return query ? `${path}?${query}` : path;
}

/** Whether something was changed since the last reset. */
let changed = true;
const call = (method, path, how) => {
  changed ||= method !== "GET";
  return ask(method, path, how);
};

let routes;
before(async () => {
  routes = (await ask("GET", "/_github/routes")).body;
});

test("every route has a call, and every call a route", () => {
  const described = routes.filter((route) => !notDescribed.some((pattern) => pattern.test(route)));
  assert.deepEqual(described.filter((route) => !calls[route]), [], "routes without a call in calls.js");
  assert.deepEqual(Object.keys(calls).filter((route) => !routes.includes(route)), [], "calls without a route");
  assert.deepEqual(described.filter((route) => !operation(route)), [], "routes that GitHub does not have");
});

for (const [route, line] of Object.entries(calls)) {
  test(route, async () => {
    // Each call begins with the story as it is told.
    if (changed) await reset();
    changed = false;
    const how = typeof line === "function" ? await line(call) : line;
    const token = how.token in tokens ? await tokens[how.token]() : (how.token ?? MAYA);
    const { body, headers, status = 200 } = how;
    const answer = await call(route.split(" ")[0], address(route, how), { body, headers, token });
    assert.equal(answer.status, status, JSON.stringify(answer.body).slice(0, 500));
    assert.deepEqual(faults(route, status, answer.body), [], JSON.stringify(answer.body).slice(0, 500));
  });
}

test("an answer of another shape would be found", () => {
  assert.deepEqual(faults("GET /versions", 200, ["2022-11-28"]), []);
  assert.equal(faults("GET /versions", 200, [7]).length, 1);
  assert.equal(faults("GET /versions", 200, null).length, 1);
  assert.equal(faults("GET /versions", 418, []).length, 1);
});
