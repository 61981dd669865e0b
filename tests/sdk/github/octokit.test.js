// octokit, unmodified: reading, paging, writing, conditional requests, redirects, GraphQL.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { graphql, GraphqlResponseError } from "@octokit/graphql";
import { Octokit } from "@octokit/rest";

import { ask, baseUrl, MAYA, REPO, reset } from "./sandbox.js";

const octokit = new Octokit({ auth: MAYA, baseUrl });
const { rest } = octokit;

before(reset);

/** The error of a request that must fail with a status. */
async function refused(promise, status) {
  const error = await promise.then(() => assert.fail("it was not refused"), (error) => error);
  assert.equal(error.status, status, error.message);
  return error;
}

test("the user, the organization, the team", async () => {
  const { data: me, headers } = await rest.users.getAuthenticated();
  assert.equal(me.login, "maya");
  assert.match(headers["x-github-request-id"], /^[0-9A-F]+$/);
  assert.equal((await rest.orgs.listForAuthenticatedUser()).data[0].login, "harbor-example");
  const { data: members } = await rest.teams.listMembersInOrg({ org: "harbor-example", team_slug: "imports" });
  assert.deepEqual(members.map(({ login }) => login), ["tomas", "priya"]);
});

test("pages are followed until there are no more", async () => {
  const seen = [];
  let pages = 0;
  for await (const { data } of octokit.paginate.iterator(rest.issues.listForRepo, { ...REPO, per_page: 7 })) {
    pages += 1;
    seen.push(...data.map(({ number }) => number));
  }
  assert.ok(pages >= 3, `${pages} pages`);
  assert.equal(new Set(seen).size, seen.length);
  const all = await octokit.paginate(rest.issues.listForRepo, { ...REPO, per_page: 100 });
  assert.deepEqual(all.map(({ number }) => number), seen);
  const runs = await octokit.paginate(rest.actions.listWorkflowRunsForRepo, { ...REPO, per_page: 9 });
  assert.ok(runs.length > 9 && runs.every(({ id }) => id), "objects around a list are unwrapped");
});

test("an issue is created, changed, labelled, discussed and closed", async () => {
  const { data: issue, status } = await rest.issues.create({ ...REPO, title: "From octokit", body: "Text" });
  assert.equal(status, 201);
  const it = { ...REPO, issue_number: issue.number };
  await rest.issues.addLabels({ ...it, labels: ["bug"] });
  const { data: comment } = await rest.issues.createComment({ ...it, body: "A word" });
  await rest.issues.updateComment({ ...REPO, comment_id: comment.id, body: "Another" });
  await rest.reactions.createForIssueComment({ ...REPO, comment_id: comment.id, content: "heart" });
  const { data: closed } = await rest.issues.update({ ...it, state: "closed", state_reason: "completed" });
  assert.equal(closed.state, "closed");
  assert.deepEqual(closed.labels.map(({ name }) => name), ["bug"]);
  assert.equal((await rest.issues.listComments(it)).data[0].body, "Another");
  const error = await refused(rest.issues.create({ ...REPO, title: "" }), 422);
  assert.equal(error.response.data.errors[0].field, "title");
});

test("files are read, written and found in commits", async () => {
  const { data: readme } = await rest.repos.getContent({ ...REPO, path: "README.md" });
  assert.ok(Buffer.from(readme.content, "base64").toString().startsWith("#"));
  const { data: raw } = await rest.repos.getContent({ ...REPO, path: "src/chunks.rs", mediaType: { format: "raw" } });
  assert.equal(typeof raw, "string");
  const { data: folder } = await rest.repos.getContent({ ...REPO, path: "src" });
  assert.ok(folder.some(({ path }) => path === "src/chunks.rs"));
  const file = { ...REPO, path: "notes/with space & more.md", message: "Add a note" };
  const content = Buffer.from("A note\n").toString("base64");
  const { data: made } = await rest.repos.createOrUpdateFileContents({ ...file, content, branch: "release/2.14" });
  assert.equal(made.content.path, file.path);
  await refused(rest.repos.createOrUpdateFileContents({ ...file, content, branch: "release/2.14" }), 422);
  const { data: commits } = await rest.repos.listCommits({ ...REPO, sha: "release/2.14", per_page: 1 });
  assert.equal(commits[0].sha, made.commit.sha);
  const { data: difference } = await rest.repos.compareCommitsWithBasehead({
    ...REPO,
    basehead: `${commits[0].parents[0].sha}...release/2.14`,
  });
  assert.deepEqual(difference.files.map(({ filename }) => filename), [file.path]);
});

test("a pull request is read, reviewed and merged", async () => {
  const it = { ...REPO, pull_number: 485 };
  const { data: diff } = await rest.pulls.get({ ...it, mediaType: { format: "diff" } });
  assert.ok(diff.startsWith("diff --git "));
  const { data: files } = await rest.pulls.listFiles(it);
  assert.ok(files.length > 0);
  const { data: review } = await rest.pulls.createReview({ ...it, event: "COMMENT", body: "Looks close" });
  assert.equal(review.state, "COMMENTED");
  const branch = "sdk/merge-me";
  const { data: head } = await rest.git.getRef({ ...REPO, ref: "heads/release/2.14" });
  await rest.git.createRef({ ...REPO, ref: `refs/heads/${branch}`, sha: head.object.sha });
  const content = Buffer.from("x\n").toString("base64");
  await rest.repos.createOrUpdateFileContents({ ...REPO, path: "sdk.txt", message: "Add", content, branch });
  const { data: pull } = await rest.pulls.create({ ...REPO, title: "From octokit", head: branch, base: "release/2.14" });
  await refused(rest.pulls.merge({ ...REPO, pull_number: pull.number, sha: "0".repeat(40) }), 409);
  const { data: merged } = await rest.pulls.merge({ ...REPO, pull_number: pull.number, merge_method: "squash" });
  assert.equal(merged.merged, true);
  assert.equal((await rest.pulls.get({ ...REPO, pull_number: pull.number })).data.merged, true);
  await refused(rest.pulls.merge({ ...REPO, pull_number: 488 }), 405);
});

test("logs come from another address, which is not shown the token", async () => {
  const { data: log, url } = await rest.actions.downloadJobLogsForWorkflowRun({ ...REPO, job_id: 910433 });
  assert.ok(String(log).includes("cargo test"));
  assert.notEqual(new URL(url).host, new URL(baseUrl).host);
  const { requests } = (await ask("GET", "/_github/storage")).body;
  assert.ok(requests.length > 0);
  assert.ok(!JSON.stringify(requests).includes(MAYA));
});

test("what has not changed is not sent again", async () => {
  const { headers } = await rest.repos.get(REPO);
  await refused(rest.repos.get({ ...REPO, headers: { "if-none-match": headers.etag } }), 304);
});

test("a former name leads to the repository", async () => {
  const { data } = await rest.repos.get({ owner: "harbor-example", repo: "importer" });
  assert.equal(data.full_name, "harbor-example/import-api");
});

test("what one may not see is not there", async () => {
  const nobody = new Octokit({ baseUrl });
  await refused(nobody.rest.repos.get(REPO), 404);
  assert.equal((await nobody.rest.repos.get({ owner: "harbor-example", repo: "docs" })).data.private, false);
  await refused(new Octokit({ auth: "ghp_revoked", baseUrl }).rest.users.getAuthenticated(), 401);
});

test("GraphQL answers, pages and refuses", async () => {
  const query = graphql.defaults({ baseUrl, headers: { authorization: `token ${MAYA}` } });
  const { viewer, rateLimit } = await query("query { viewer { login } rateLimit { cost remaining } }");
  assert.equal(viewer.login, "maya");
  assert.equal(rateLimit.cost, 1);
  const text = "query($after: String) { organization(login: \"harbor-example\") { teams(first: 2, after: $after) {"
    + " nodes { slug } pageInfo { hasNextPage endCursor } } } }";
  const first = (await query(text)).organization.teams;
  assert.equal(first.pageInfo.hasNextPage, true);
  const second = (await query(text, { after: first.pageInfo.endCursor })).organization.teams;
  assert.deepEqual([...first.nodes, ...second.nodes].map(({ slug }) => slug), ["engineering", "imports", "platform"]);
  const error = await query("query { viewer { nonsense } }").catch((error) => error);
  assert.ok(error instanceof GraphqlResponseError);
  assert.equal(error.errors[0].message, "Field 'nonsense' doesn't exist on type 'User'");
  assert.equal(error.errors[0].extensions.code, "undefinedField");
  const gone = await query("query { repository(owner: \"a\", name: \"b\") { id } }").catch((error) => error);
  assert.equal(gone.errors[0].type, "NOT_FOUND");
});
