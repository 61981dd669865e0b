// The official SDK, unmodified, against the sandbox. LINEAR_API_URL says where it answers
// (http://127.0.0.1:4010/graphql).

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { test } from "node:test";

import {
  AuthenticationLinearError,
  ForbiddenLinearError,
  InvalidInputLinearError,
  LinearClient,
  LinearErrorType,
  RatelimitedLinearError,
} from "@linear/sdk";
import { LINEAR_WEBHOOK_SIGNATURE_HEADER, LINEAR_WEBHOOK_TS_HEADER, LinearWebhookClient } from "@linear/sdk/webhooks";

const apiUrl = process.env.LINEAR_API_URL;
assert.ok(apiUrl, "LINEAR_API_URL must say where the sandbox answers");

const client = as("lin_api_sdk");

function as(apiKey) {
  return new LinearClient({ apiKey, apiUrl });
}

async function team(key) {
  const found = await client.teams({ filter: { key: { eq: key } } });
  assert.equal(found.nodes.length, 1);
  return found.nodes[0];
}

test("the viewer and the organization", async () => {
  const me = await client.viewer;
  assert.match(me.id, /^[0-9a-f-]{36}$/);
  assert.ok(me.email.includes("@"));
  assert.equal(me.isMe, true);
  const organization = await client.organization;
  assert.ok(organization.urlKey);
  assert.ok(organization.createdAt instanceof Date);
  const teams = await me.teams();
  assert.ok(teams.nodes.length > 0);
});

test("teams with their states, labels, members and cycles", async () => {
  const teams = await client.teams();
  assert.ok(teams.nodes.length >= 3);
  const eng = await team("ENG");
  const states = await eng.states();
  for (const type of ["backlog", "unstarted", "started", "completed", "canceled"]) {
    assert.ok(states.nodes.some((state) => state.type === type), type);
  }
  assert.ok((await eng.labels()).nodes.every((label) => label.teamId === eng.id));
  assert.ok((await eng.members()).nodes.length > 0);
  assert.ok((await eng.cycles()).nodes.length >= 3);
  assert.equal((await eng.activeCycle)?.isActive, true);
});

test("issues with filters, and pages until there are no more", async () => {
  const eng = await team("ENG");
  const open = await client.issues({
    filter: { team: { key: { eq: "ENG" } }, state: { type: { nin: ["completed", "canceled", "duplicate"] } } },
  });
  assert.ok(open.nodes.length > 0);
  assert.ok(open.nodes.every((issue) => issue.teamId === eng.id));

  let page = await client.issues({ first: 10 });
  const seen = new Set(page.nodes.map((issue) => issue.id));
  while (page.pageInfo.hasNextPage) {
    const before = page.nodes.length;
    page = await page.fetchNext();
    assert.ok(page.nodes.length > before);
    page.nodes.forEach((issue) => seen.add(issue.id));
  }
  const all = await client.issues({ first: 200 });
  assert.equal(seen.size, all.nodes.length);
});

test("one issue and what it leads to", async () => {
  const issue = await client.issue("ENG-1");
  assert.equal(issue.identifier, "ENG-1");
  assert.equal((await client.issue(issue.id)).identifier, "ENG-1");
  assert.ok((await issue.state)?.name);
  assert.equal((await issue.team)?.key, "ENG");
  assert.ok((await issue.creator)?.displayName);
  assert.ok(Array.isArray((await issue.labels()).nodes));
  assert.ok(Array.isArray((await issue.comments()).nodes));
  assert.ok(Array.isArray((await issue.attachments()).nodes));
  assert.ok(Array.isArray((await issue.relations()).nodes));
  assert.ok((await issue.stateHistory()).nodes.length > 0);
});

test("an issue's life: created, changed, commented, related, attached, archived, restored", async () => {
  const eng = await team("ENG");
  const id = randomUUID();
  const created = await client.createIssue({ id, teamId: eng.id, title: "Written by the SDK", priority: 2 });
  assert.equal(created.success, true);
  const issue = await created.issue;
  assert.equal(issue.id, id);
  assert.equal(issue.priority, 2);
  await assert.rejects(client.createIssue({ id, teamId: eng.id, title: "Again" }), InvalidInputLinearError);

  const done = (await eng.states({ filter: { type: { eq: "completed" } } })).nodes[0];
  const updated = await (await client.updateIssue(id, { stateId: done.id, title: "Renamed" })).issue;
  assert.equal(updated.title, "Renamed");
  assert.ok(updated.completedAt instanceof Date);
  assert.equal(updated.stateId, done.id);
  assert.ok(updated.updatedAt > issue.updatedAt);

  const comment = await (await client.createComment({ issueId: id, body: "Hello" })).comment;
  const reply = await (await client.createComment({ issueId: id, parentId: comment.id, body: "Hi" })).comment;
  assert.equal((await reply.parent)?.id, comment.id);
  assert.equal((await client.commentResolve(comment.id)).success, true);
  assert.equal((await client.deleteComment(comment.id)).success, true);

  const relation = await (
    await client.createIssueRelation({ issueId: id, relatedIssueId: "ENG-1", type: "blocks" })
  ).issueRelation;
  assert.equal((await relation.relatedIssue)?.identifier, "ENG-1");
  await client.deleteIssueRelation(relation.id);

  const url = "https://example.com/design";
  const first = await (await client.createAttachment({ issueId: id, url, title: "Design" })).attachment;
  const second = await (await client.createAttachment({ issueId: id, url, title: "Design 2" })).attachment;
  assert.equal(first.id, second.id);
  assert.equal((await client.attachmentsForURL(url)).nodes[0].title, "Design 2");

  assert.equal((await client.archiveIssue(id)).success, true);
  assert.ok((await client.issue(id)).archivedAt instanceof Date);
  assert.equal((await client.unarchiveIssue(id)).success, true);
  const deleted = await client.deleteIssue(id);
  assert.equal(deleted.success, true);
  assert.equal((await client.issue(id)).trashed, true);
});

test("the lists of the workspace", async () => {
  for (const list of [
    "workflowStates",
    "issueLabels",
    "projects",
    "cycles",
    "documents",
    "comments",
    "initiatives",
    "users",
    "attachments",
    "projectMilestones",
    "projectUpdates",
    "initiativeUpdates",
    "issueRelations",
    "projectStatuses",
  ]) {
    const page = await client[list]({ first: 3 });
    assert.ok(page.nodes.length > 0, list);
    const singular = { projectStatuses: "projectStatus" }[list] ?? list.replace(/s$/, "");
    const one = singular === "comment" ? await client.comment({ id: page.nodes[0].id }) : await client[singular](page.nodes[0].id);
    assert.equal(one.id, page.nodes[0].id, list);
  }
  assert.ok((await client.templates).length > 0);
  const values = await client.issuePriorityValues;
  assert.deepEqual(values.map((value) => value.label), ["No priority", "Urgent", "High", "Medium", "Low"]);
});

test("a project and what it leads to", async () => {
  const project = (await client.projects({ first: 1 })).nodes[0];
  assert.ok(project.progress >= 0 && project.progress <= 1);
  assert.ok((await project.status)?.name);
  assert.ok((await project.teams()).nodes.length > 0);
  assert.ok(Array.isArray((await project.issues()).nodes));
  assert.ok(Array.isArray((await project.projectMilestones()).nodes));
  const eng = await team("ENG");
  const created = await (await client.createProject({ name: "SDK", teamIds: [eng.id] })).project;
  const renamed = await (await client.updateProject(created.id, { name: "SDK 2" })).project;
  assert.equal(renamed.name, "SDK 2");
  const update = await (await client.createProjectUpdate({ projectId: created.id, body: "Fine", health: "atRisk" })).projectUpdate;
  assert.equal(update.health, "atRisk");
  assert.equal((await client.project(created.id)).health, "atRisk");
  assert.equal((await client.deleteProject(created.id)).success, true);
});

test("documents, labels and milestones can be written", async () => {
  const project = (await client.projects({ first: 1 })).nodes[0];
  const document = await (await client.createDocument({ title: "Notes", content: "# Notes", projectId: project.id })).document;
  assert.equal((await client.document(document.slugId)).content, "# Notes");
  const changed = await (await client.updateDocument(document.id, { content: "Changed" })).document;
  assert.equal(changed.content, "Changed");
  const label = await (await client.createIssueLabel({ name: `sdk ${randomUUID().slice(0, 8)}` })).issueLabel;
  assert.equal((await client.deleteIssueLabel(label.id)).success, true);
  const milestone = await (await client.createProjectMilestone({ name: "M", projectId: project.id })).projectMilestone;
  assert.equal((await milestone.project)?.id, project.id);
});

test("searching", async () => {
  const issue = (await client.issues({ first: 1 })).nodes[0];
  const found = await client.searchIssues(issue.title, { first: 50 });
  assert.ok(found.totalCount >= 1);
  assert.ok(found.nodes.some((result) => result.identifier === issue.identifier));
  const project = (await client.projects({ first: 1 })).nodes[0];
  assert.ok((await client.searchProjects(project.name)).nodes.some((result) => result.id === project.id));
  const document = (await client.documents({ first: 1 })).nodes[0];
  assert.ok((await client.searchDocuments(document.title)).totalCount >= 1);
  const branch = await client.issueVcsBranchSearch(issue.branchName);
  assert.equal(branch?.identifier, issue.identifier);
});

test("the rate limit status", async () => {
  const status = await client.rateLimitStatus;
  const requests = status.limits.find((limit) => limit.type === "requests");
  assert.ok(requests.remainingAmount < requests.allowedAmount);
  assert.ok(requests.reset > Date.now());
});

test("a file is asked for, put with the headers that came, and read back", async () => {
  const content = "a line of a log\n";
  const payload = await client.fileUpload("text/plain", "log.txt", content.length);
  const { uploadUrl, assetUrl, headers } = payload.uploadFile;
  const sent = Object.fromEntries(headers.map(({ key, value }) => [key, value]));
  const put = await fetch(uploadUrl, { method: "PUT", headers: { "content-type": "text/plain", ...sent }, body: content });
  assert.equal(put.status, 200);
  assert.equal((await fetch(assetUrl)).status, 401);
  const read = await fetch(assetUrl, { headers: { authorization: "lin_api_sdk" } });
  assert.equal(await read.text(), content);
});

test("an application's token works as the SDK's access token", async () => {
  const form = { grant_type: "client_credentials", scope: "read,write", client_id: "sandbox-client", client_secret: "sandbox-secret" };
  const answer = await fetch(new URL("/oauth/token", apiUrl), { method: "POST", body: new URLSearchParams(form) });
  const { access_token: accessToken } = await answer.json();
  const app = new LinearClient({ accessToken, apiUrl });
  assert.ok((await app.viewer).id);
  const comment = await (await app.createComment({ issueId: "ENG-1", body: "From the app", createAsUser: "Zoe" })).comment;
  assert.equal(comment.botActor?.userDisplayName, "Zoe");
});

test("a webhook's delivery is verified by the SDK", async () => {
  const secret = "a secret of the test";
  const delivered = Promise.withResolvers?.() ?? deferred();
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      response.end();
      delivered.resolve({ headers: request.headers, body: Buffer.concat(chunks) });
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${server.address().port}/hook`;
    const { webhook } = await client.createWebhook({ url, secret, resourceTypes: ["Comment"], allPublicTeams: true });
    await client.createComment({ issueId: "ENG-1", body: "Told" });
    const { headers, body } = await delivered.promise;
    const timestamp = Number(headers[LINEAR_WEBHOOK_TS_HEADER]);
    const signature = headers[LINEAR_WEBHOOK_SIGNATURE_HEADER];
    const payload = new LinearWebhookClient(secret).parseData(body, signature, timestamp);
    assert.deepEqual([payload.action, payload.type, payload.data.body], ["create", "Comment", "Told"]);
    assert.throws(() => new LinearWebhookClient("another").parseData(body, signature, timestamp));
    assert.equal((await client.deleteWebhook((await webhook).id)).success, true);
  } finally {
    server.close();
  }
});

function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

test("errors come as the SDK's own classes", async () => {
  await assert.rejects(as("lin_api_revoked").viewer, (error) => {
    assert.ok(error instanceof AuthenticationLinearError);
    assert.equal(error.status, 401);
    return true;
  });
  await assert.rejects(client.issue("ENG-999999"), (error) => {
    assert.ok(error instanceof InvalidInputLinearError);
    assert.equal(error.type, LinearErrorType.InvalidInput);
    assert.match(error.message, /Entity not found: Issue/);
    return true;
  });
  await assert.rejects(as("lin_api_readonly").createComment({ issueId: "ENG-1", body: "x" }), ForbiddenLinearError);
});

test("a used-up budget is a RatelimitedLinearError", async () => {
  await assert.rejects(
    (async () => {
      for (let n = 0; n < 40; n += 1) await client.searchIssues("anything", { first: 1 });
    })(),
    (error) => {
      assert.ok(error instanceof RatelimitedLinearError);
      assert.equal(error.status, 400);
      return true;
    },
  );
});
