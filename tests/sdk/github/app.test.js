// Apps and people, by octokit's own authentication.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { createAppAuth } from "@octokit/auth-app";
import { createOAuthDeviceAuth } from "@octokit/auth-oauth-device";
import { refreshToken } from "@octokit/oauth-methods";
import { request } from "@octokit/request";
import { Octokit } from "@octokit/rest";

import { APP, appKey, baseUrl, control, journal, REPO, reset } from "./sandbox.js";

beforeEach(reset);

const { appId, clientId, installationId } = APP;
const asApp = (more = {}) =>
  new Octokit({ authStrategy: createAppAuth, auth: { appId, privateKey: appKey, installationId, ...more }, baseUrl });

test("an app is itself for its own routes, and an installation for the rest", async () => {
  const octokit = asApp();
  assert.equal((await octokit.rest.apps.getAuthenticated()).data.slug, "harbor-bot");
  const { data } = await octokit.rest.apps.listReposAccessibleToInstallation();
  assert.ok(data.repositories.every(({ owner }) => owner.login === "harbor-example"));
  assert.equal((await octokit.rest.repos.get(REPO)).data.name, "import-api");
  await octokit.rest.issues.createLabel({ ...REPO, name: "by a bot", color: "0000ff" });
  const minted = await journal("POST /app/installations/{installation_id}/access_tokens");
  assert.equal(minted.length, 1, "one token does for all");
  await assert.rejects(octokit.rest.users.getAuthenticated(), { status: 403 });
});

test("a token is narrowed to a repository and to reading", async () => {
  const auth = createAppAuth({ appId, privateKey: appKey, installationId, request: request.defaults({ baseUrl }) });
  const narrowed = await auth({
    type: "installation",
    repositoryNames: ["import-api"],
    permissions: { issues: "read" },
  });
  assert.equal(narrowed.repositorySelection, "selected");
  assert.deepEqual(narrowed.permissions, { issues: "read" });
  const octokit = new Octokit({ auth: narrowed.token, baseUrl });
  await assert.rejects(octokit.rest.issues.createLabel({ ...REPO, name: "x", color: "000000" }), {
    status: 403,
    message: /not accessible by integration/,
  });
  await assert.rejects(octokit.rest.repos.get({ ...REPO, repo: "web" }), { status: 404 });
});

test("a clock that differs is put right by the date of the answer", async () => {
  await control("/_sandbox/clock", { advance_s: 3600 });
  const log = { warn() {}, debug() {}, info() {}, error() {} };
  const octokit = new Octokit({
    authStrategy: createAppAuth,
    auth: { appId, privateKey: appKey, installationId, log },
    baseUrl,
    log,
  });
  assert.equal((await octokit.rest.apps.getAuthenticated()).data.slug, "harbor-bot");
});

test("a key that is not the app's opens nothing", async () => {
  const { generateKeyPairSync } = await import("node:crypto");
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  await assert.rejects(asApp({ privateKey }).rest.apps.getAuthenticated(), { status: 401 });
});

test("the device flow gives a token, and a refresh token that is good once", async () => {
  const auth = createOAuthDeviceAuth({
    clientType: "github-app",
    clientId,
    request: request.defaults({ baseUrl }),
    onVerification: ({ user_code }) => control("/_github/device", { user_code, login: "tomas" }),
  });
  const given = await auth({ type: "oauth" });
  assert.match(given.token, /^ghu_/);
  const octokit = new Octokit({ auth: given.token, baseUrl });
  assert.equal((await octokit.rest.users.getAuthenticated()).data.login, "tomas");
  const renew = () =>
    refreshToken({
      clientType: "github-app",
      clientId,
      clientSecret: "sandbox0app0secret",
      refreshToken: given.refreshToken,
      request: request.defaults({ baseUrl }),
    });
  const { authentication } = await renew();
  assert.notEqual(authentication.token, given.token);
  await assert.rejects(octokit.rest.users.getAuthenticated(), { status: 401 });
  await assert.rejects(renew(), /bad_refresh_token|refresh token/);
});
