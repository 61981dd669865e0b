// A call for each route of the sandbox: one line each, `"METHOD /path": how`. `how` may have
// - `status` that is expected (200),
// - `query`, `body`, `headers`, `token`,
// - values for the path's placeholders, where the usual ones below do not do.
// Where something must be looked up or done first, `how` is a function of `ask`.
//
// A value of `placeholders` is what stands for it wherever a line says nothing else.

import { APP, REPO } from "./sandbox.js";

export const placeholders = {
  ...REPO,
  org: "harbor-example",
  username: "tomas",
  team_slug: "imports",
  app_slug: "harbor-bot",
  installation_id: APP.installationId,
  assignee: "priya",
  branch: "main",
  ref: "main",
  tag: "v2.14.0",
  name: "bug",
  issue_number: 471,
  pull_number: 485,
  workflow_id: "ci.yml",
  run_id: 90043,
  attempt_number: 1,
  job_id: 910433,
  check_run_id: 910433,
};

const R = "/repos/{owner}/{repo}";
const app = { token: "app" };
const issues = "/repos/harbor-example/import-api/issues";
const pulls = "/repos/harbor-example/import-api/pulls";
const git = "/repos/harbor-example/import-api/git";

/** What a placeholder stands for, looked up in a listing first. */
const found = (name, path, key = "id", more = {}) => async (ask) => {
  const { body } = await ask("GET", path);
  const rows = Array.isArray(body) ? body : Object.values(body).find(Array.isArray);
  return { [name]: rows[0][key], ...more };
};
/** The same, of something made first. */
const made = (name, path, body, more = {}, key = "id") => async (ask) => ({
  [name]: (await ask("POST", path, { body })).body[key],
  ...more,
});
/** The commit that a branch is at. */
const head = async (ask, branch = "main") => (await ask("GET", `${git}/ref/heads/${branch}`)).body.object.sha;
/** An issue's id, which some bodies want instead of its number. */
const id = async (ask, number) => (await ask("GET", `${issues}/${number}`)).body.id;

const comment = (more) => found("comment_id", `${issues}/471/comments`, "id", more);
const note = (more) => found("comment_id", `${pulls}/485/comments`, "id", more);
const pending = (more) => made("review_id", `${pulls}/485/reviews`, { body: "To be continued" }, more);
const gone = { status: 204 };

export const calls = {
  "GET /versions": {},
  "GET /rate_limit": {},

  "GET /user": {},
  "GET /user/orgs": {},
  "GET /user/teams": {},
  "GET /user/installations": { token: "user" },
  "GET /users/{username}": {},
  "GET /orgs/{org}": {},
  "GET /orgs/{org}/teams": {},
  "GET /orgs/{org}/teams/{team_slug}": {},
  "GET /orgs/{org}/teams/{team_slug}/members": {},

  "GET /app": app,
  "GET /app/installations": app,
  "GET /app/installations/{installation_id}": app,
  "POST /app/installations/{installation_id}/access_tokens": { ...app, status: 201, body: { repositories: ["import-api"] } },
  "GET /orgs/{org}/installation": app,
  "GET /users/{username}/installation": { ...app, username: "maya" },
  [`GET ${R}/installation`]: app,
  "GET /installation/repositories": { token: "installation" },

  "GET /user/repos": {},
  "POST /user/repos": { status: 201, body: { name: "notes", private: true, auto_init: true } },
  "GET /users/{username}/repos": { username: "maya" },
  "GET /orgs/{org}/repos": {},
  "POST /orgs/{org}/repos": { status: 201, body: { name: "notes" } },
  [`GET ${R}`]: {},
  [`POST ${R}/forks`]: { repo: "docs", status: 202, body: {} },
  [`GET ${R}/languages`]: {},
  [`GET ${R}/topics`]: {},
  [`GET ${R}/collaborators`]: {},
  [`GET ${R}/collaborators/{username}`]: gone,
  [`GET ${R}/collaborators/{username}/permission`]: {},
  [`GET ${R}/contents/{path}`]: { path: "src/chunks.rs" },
  [`PUT ${R}/contents/{path}`]: { path: "a/new file.md", status: 201, body: { message: "Add", content: "YQo=", branch: "release/2.14" } },
  [`DELETE ${R}/contents/{path}`]: async (ask) => {
    const { sha } = (await ask("GET", `/repos/harbor-example/import-api/contents/CHANGELOG.md?ref=release/2.14`)).body;
    return { path: "CHANGELOG.md", body: { message: "Drop it", sha, branch: "release/2.14" } };
  },
  [`GET ${R}/readme`]: {},
  [`GET ${R}/branches`]: {},
  [`GET ${R}/branches/{branch}`]: {},
  [`GET ${R}/branches/{branch}/protection`]: {},
  [`GET ${R}/rules/branches/{branch}`]: {},
  [`GET ${R}/tags`]: {},
  [`GET ${R}/git/ref/{ref}`]: { ref: "heads/feature/with-slash/and-more" },
  [`GET ${R}/git/matching-refs/{ref}`]: { ref: "heads/" },
  [`POST ${R}/git/refs`]: async (ask) => ({ status: 201, body: { ref: "refs/heads/new", sha: await head(ask) } }),
  [`PATCH ${R}/git/refs/{ref}`]: async (ask) => ({ ref: "heads/release/2.14", body: { sha: await head(ask), force: true } }),
  [`DELETE ${R}/git/refs/{ref}`]: { ref: "heads/release/2.14", ...gone },
  [`POST ${R}/git/blobs`]: { status: 201, body: { content: "text\n", encoding: "utf-8" } },
  [`GET ${R}/git/blobs/{file_sha}`]: found("file_sha", "/repos/harbor-example/import-api/contents/src", "sha"),
  [`POST ${R}/git/trees`]: async (ask) => ({
    status: 201,
    body: { base_tree: await head(ask), tree: [{ path: "new.txt", mode: "100644", type: "blob", content: "new\n" }] },
  }),
  [`GET ${R}/git/trees/{tree_sha}`]: { tree_sha: "main", query: { recursive: 1 } },
  [`POST ${R}/git/commits`]: async (ask) => {
    const sha = await head(ask);
    const { tree } = (await ask("GET", `${git}/commits/${sha}`)).body;
    return { status: 201, body: { message: "Empty", tree: tree.sha, parents: [sha] } };
  },
  [`GET ${R}/git/commits/{commit_sha}`]: async (ask) => ({ commit_sha: await head(ask) }),
  [`POST ${R}/git/tags`]: async (ask) => ({
    status: 201,
    body: { tag: "v9", message: "Nine", object: await head(ask), type: "commit" },
  }),
  [`GET ${R}/git/tags/{tag_sha}`]: async (ask) => ({ tag_sha: (await ask("GET", `${git}/ref/tags/v2.14.0`)).body.object.sha }),
  [`GET ${R}/commits`]: {},
  [`GET ${R}/commits/{ref}`]: {},
  [`GET ${R}/compare/{basehead}`]: { basehead: "v2.13.0...main" },
  [`GET ${R}/releases`]: {},
  [`POST ${R}/releases`]: { status: 201, body: { tag_name: "v3.0.0", draft: true, generate_release_notes: true } },
  [`POST ${R}/releases/generate-notes`]: { body: { tag_name: "v2.14.0", previous_tag_name: "v2.13.0" } },
  [`GET ${R}/releases/latest`]: {},
  [`GET ${R}/releases/tags/{tag}`]: {},
  [`PATCH ${R}/releases/{release_id}`]: found("release_id", "/repos/harbor-example/import-api/releases", "id", { body: { name: "Another" } }),
  [`DELETE ${R}/releases/{release_id}`]: found("release_id", "/repos/harbor-example/import-api/releases", "id", gone),

  [`GET ${R}/issues`]: { query: { state: "all", per_page: 100 } },
  [`POST ${R}/issues`]: { status: 201, body: { title: "New", body: "Text", labels: ["bug"], assignees: ["tomas"], milestone: 1 } },
  [`GET ${R}/issues/{issue_number}`]: {},
  [`PATCH ${R}/issues/{issue_number}`]: { issue_number: 490, body: { state: "closed", state_reason: "not_planned" } },
  [`GET ${R}/issues/{issue_number}/comments`]: {},
  [`POST ${R}/issues/{issue_number}/comments`]: { status: 201, body: { body: "A word, @priya" } },
  [`GET ${R}/issues/comments/{comment_id}`]: comment(),
  [`PATCH ${R}/issues/comments/{comment_id}`]: comment({ body: { body: "Another" } }),
  [`DELETE ${R}/issues/comments/{comment_id}`]: comment(gone),
  [`GET ${R}/labels`]: {},
  [`POST ${R}/labels`]: { status: 201, body: { name: "new", color: "ff00ff", description: "New" } },
  [`GET ${R}/labels/{name}`]: {},
  [`PATCH ${R}/labels/{name}`]: { body: { new_name: "defect" } },
  [`DELETE ${R}/labels/{name}`]: gone,
  [`GET ${R}/issues/{issue_number}/labels`]: {},
  [`POST ${R}/issues/{issue_number}/labels`]: { body: { labels: ["P1"] } },
  [`PUT ${R}/issues/{issue_number}/labels`]: { body: { labels: ["P1", "bug"] } },
  [`DELETE ${R}/issues/{issue_number}/labels`]: gone,
  [`DELETE ${R}/issues/{issue_number}/labels/{name}`]: found("name", `${issues}/471/labels`, "name"),
  [`GET ${R}/milestones`]: { query: { state: "all" } },
  [`POST ${R}/milestones`]: { status: 201, body: { title: "v3" } },
  [`GET ${R}/milestones/{milestone_number}`]: found("milestone_number", "/repos/harbor-example/import-api/milestones", "number"),
  [`PATCH ${R}/milestones/{milestone_number}`]: found("milestone_number", "/repos/harbor-example/import-api/milestones", "number", { body: { state: "closed" } }),
  [`DELETE ${R}/milestones/{milestone_number}`]: found("milestone_number", "/repos/harbor-example/import-api/milestones", "number", gone),
  [`GET ${R}/issue-types`]: {},
  [`GET ${R}/assignees`]: {},
  [`GET ${R}/assignees/{assignee}`]: gone,
  [`POST ${R}/issues/{issue_number}/assignees`]: { status: 201, body: { assignees: ["jonas"] } },
  [`DELETE ${R}/issues/{issue_number}/assignees`]: { body: { assignees: ["priya"] } },
  [`PUT ${R}/issues/{issue_number}/lock`]: { ...gone, body: { lock_reason: "resolved" } },
  [`DELETE ${R}/issues/{issue_number}/lock`]: gone,
  [`POST ${R}/issues/comments/{comment_id}/reactions`]: comment({ status: 201, body: { content: "rocket" } }),
  [`DELETE ${R}/issues/comments/{comment_id}/reactions/{reaction_id}`]: async (ask) => {
    const { comment_id } = await comment()(ask);
    return made("reaction_id", `${issues}/comments/${comment_id}/reactions`, { content: "eyes" }, { comment_id, ...gone })(ask);
  },
  [`POST ${R}/pulls/comments/{comment_id}/reactions`]: note({ status: 201, body: { content: "rocket" } }),
  [`GET ${R}/issues/{issue_number}/timeline`]: { query: { per_page: 100 } },
  [`GET ${R}/issues/{issue_number}/events`]: {},
  [`GET ${R}/issues/{issue_number}/sub_issues`]: { issue_number: 473 },
  [`POST ${R}/issues/{issue_number}/sub_issues`]: async (ask) => ({ issue_number: 473, status: 201, body: { sub_issue_id: await id(ask, 490) } }),
  [`DELETE ${R}/issues/{issue_number}/sub_issue`]: async (ask) => ({ issue_number: 473, body: { sub_issue_id: await id(ask, 474) } }),
  [`PATCH ${R}/issues/{issue_number}/sub_issues/priority`]: async (ask) => ({
    issue_number: 473,
    body: { sub_issue_id: await id(ask, 476), before_id: await id(ask, 474) },
  }),
  [`GET ${R}/issues/{issue_number}/parent`]: { issue_number: 474 },
  [`GET ${R}/issues/{issue_number}/dependencies/blocked_by`]: { issue_number: 475 },
  [`POST ${R}/issues/{issue_number}/dependencies/blocked_by`]: async (ask) => ({ issue_number: 490, status: 201, body: { issue_id: await id(ask, 474) } }),
  [`DELETE ${R}/issues/{issue_number}/dependencies/blocked_by/{issue_id}`]: async (ask) => {
    const issue_id = await id(ask, 474);
    await ask("POST", `${issues}/490/dependencies/blocked_by`, { body: { issue_id } });
    return { issue_number: 490, issue_id };
  },
  [`GET ${R}/issues/{issue_number}/dependencies/blocking`]: { issue_number: 474 },

  [`GET ${R}/pulls`]: { query: { state: "all" } },
  [`POST ${R}/pulls`]: { status: 201, body: { title: "New", head: "feature/with-slash/and-more", base: "main", draft: true } },
  [`GET ${R}/pulls/{pull_number}`]: {},
  [`PATCH ${R}/pulls/{pull_number}`]: { body: { title: "Another" } },
  [`GET ${R}/pulls/{pull_number}/files`]: {},
  [`GET ${R}/pulls/{pull_number}/commits`]: {},
  [`GET ${R}/commits/{commit_sha}/pulls`]: async (ask) => ({ commit_sha: await head(ask, "tomas/eng-31-progress") }),
  [`GET ${R}/pulls/{pull_number}/merge`]: { pull_number: 482, ...gone },
  [`PUT ${R}/pulls/{pull_number}/merge`]: async (ask) => {
    const branch = "to-be-merged";
    await ask("POST", `${git}/refs`, { body: { ref: `refs/heads/${branch}`, sha: await head(ask, "release/2.14") } });
    await ask("PUT", "/repos/harbor-example/import-api/contents/merge.txt", { body: { message: "Add", content: "YQo=", branch } });
    return made("pull_number", pulls, { title: "Merge", head: branch, base: "release/2.14" }, { body: {} }, "number")(ask);
  },
  [`PUT ${R}/pulls/{pull_number}/update-branch`]: { status: 202, body: {} },
  [`GET ${R}/pulls/{pull_number}/reviews`]: {},
  [`POST ${R}/pulls/{pull_number}/reviews`]: { body: { event: "COMMENT", body: "Close" } },
  [`DELETE ${R}/pulls/{pull_number}/reviews/{review_id}`]: pending(),
  [`POST ${R}/pulls/{pull_number}/reviews/{review_id}/events`]: pending({ body: { event: "COMMENT", body: "Done" } }),
  [`PUT ${R}/pulls/{pull_number}/reviews/{review_id}/dismissals`]: async (ask) => {
    const { body } = await ask("GET", `${pulls}/485/reviews`);
    const asked = body.find(({ state }) => state === "CHANGES_REQUESTED");
    return { review_id: asked.id, body: { message: "Settled", event: "DISMISS" } };
  },
  [`GET ${R}/pulls/{pull_number}/requested_reviewers`]: {},
  [`POST ${R}/pulls/{pull_number}/requested_reviewers`]: { status: 201, body: { reviewers: ["aiko"] } },
  [`DELETE ${R}/pulls/{pull_number}/requested_reviewers`]: { body: { reviewers: ["maya"] } },
  [`GET ${R}/pulls/{pull_number}/comments`]: {},
  [`POST ${R}/pulls/{pull_number}/comments`]: async (ask) => {
    const [file] = (await ask("GET", `${pulls}/485/files`)).body;
    const line = Number(/\+(\d+)/.exec(file.patch)[1]);
    const commit_id = await head(ask, "tomas/eng-31-progress");
    return { status: 201, body: { path: file.filename, line, side: "RIGHT", commit_id, body: "Why?" } };
  },
  [`POST ${R}/pulls/{pull_number}/comments/{comment_id}/replies`]: note({ status: 201, body: { body: "Because" } }),
  [`GET ${R}/pulls/comments/{comment_id}`]: note(),
  [`PATCH ${R}/pulls/comments/{comment_id}`]: note({ body: { body: "Another" } }),
  [`DELETE ${R}/pulls/comments/{comment_id}`]: note(gone),

  [`GET ${R}/actions/workflows`]: {},
  [`GET ${R}/actions/workflows/{workflow_id}`]: {},
  [`PUT ${R}/actions/workflows/{workflow_id}/enable`]: gone,
  [`PUT ${R}/actions/workflows/{workflow_id}/disable`]: gone,
  [`POST ${R}/actions/workflows/{workflow_id}/dispatches`]: {
    workflow_id: "deploy.yml",
    ...gone,
    body: { ref: "main", inputs: { environment: "staging", version: "v2.14.0" } },
  },
  [`GET ${R}/actions/workflows/{workflow_id}/runs`]: {},
  [`GET ${R}/actions/runs`]: {},
  [`GET ${R}/actions/runs/{run_id}`]: {},
  [`GET ${R}/actions/runs/{run_id}/attempts/{attempt_number}`]: {},
  [`GET ${R}/actions/runs/{run_id}/attempts/{attempt_number}/jobs`]: {},
  [`GET ${R}/actions/runs/{run_id}/jobs`]: {},
  [`GET ${R}/actions/runs/{run_id}/logs`]: { status: 302 },
  [`GET ${R}/actions/runs/{run_id}/artifacts`]: {},
  [`POST ${R}/actions/runs/{run_id}/rerun`]: { status: 201, body: {} },
  [`POST ${R}/actions/runs/{run_id}/rerun-failed-jobs`]: { status: 201, body: {} },
  [`POST ${R}/actions/runs/{run_id}/cancel`]: { run_id: 90045, status: 202 },
  [`GET ${R}/actions/jobs/{job_id}`]: {},
  [`GET ${R}/actions/jobs/{job_id}/logs`]: { status: 302 },
  [`POST ${R}/actions/jobs/{job_id}/rerun`]: { status: 201, body: {} },
  [`GET ${R}/actions/artifacts`]: {},
  [`GET ${R}/actions/artifacts/{artifact_id}/{archive_format}`]: found(
    "artifact_id",
    "/repos/harbor-example/import-api/actions/artifacts",
    "id",
    { archive_format: "zip", status: 302 },
  ),
  [`GET ${R}/commits/{ref}/check-runs`]: {},
  [`GET ${R}/commits/{ref}/check-suites`]: {},
  [`GET ${R}/check-runs/{check_run_id}/annotations`]: {},
  [`GET ${R}/check-suites/{check_suite_id}/check-runs`]: found("check_suite_id", "/repos/harbor-example/import-api/commits/main/check-suites"),
  [`GET ${R}/commits/{ref}/status`]: {},
  [`GET ${R}/commits/{ref}/statuses`]: {},
  [`POST ${R}/statuses/{sha}`]: async (ask) => ({ sha: await head(ask), status: 201, body: { state: "success", context: "load" } }),

  "GET /search/issues": { query: { q: "repo:harbor-example/import-api is:issue timeout" } },
  "GET /search/code": { query: { q: "repo:harbor-example/import-api chunk" }, headers: { accept: "application/vnd.github.text-match+json" } },
  "GET /search/commits": { query: { q: "repo:harbor-example/import-api chunk" } },
  "GET /search/repositories": { query: { q: "org:harbor-example import" } },
  "GET /search/users": { query: { q: "tomas" } },

  "GET /notifications": { query: { all: true } },
  "PUT /notifications": { status: 205, body: {} },
  [`GET ${R}/notifications`]: {},
  [`PUT ${R}/notifications`]: { status: 205, body: {} },
  "GET /notifications/threads/{thread_id}": found("thread_id", "/notifications"),
  "PATCH /notifications/threads/{thread_id}": found("thread_id", "/notifications", "id", { status: 205 }),
  "DELETE /notifications/threads/{thread_id}": found("thread_id", "/notifications", "id", gone),
  "GET /notifications/threads/{thread_id}/subscription": found("thread_id", "/notifications"),
  "PUT /notifications/threads/{thread_id}/subscription": found("thread_id", "/notifications", "id", { body: { ignored: true } }),
  "DELETE /notifications/threads/{thread_id}/subscription": found("thread_id", "/notifications", "id", gone),
  "GET /gists": {},
  "POST /gists": { status: 201, body: { description: "New", public: false, files: { "a.md": { content: "a" } } } },
  "GET /users/{username}/gists": { username: "maya" },
  "GET /gists/{gist_id}": found("gist_id", "/gists"),
  "PATCH /gists/{gist_id}": found("gist_id", "/gists", "id", { body: { description: "Another" } }),
  "DELETE /gists/{gist_id}": found("gist_id", "/gists", "id", gone),
  "GET /gists/{gist_id}/comments": found("gist_id", "/gists"),
  "POST /gists/{gist_id}/comments": found("gist_id", "/gists", "id", { status: 201, body: { body: "A word" } }),
  [`GET ${R}/code-scanning/alerts`]: {},
  [`GET ${R}/dependabot/alerts`]: {},
  [`GET ${R}/secret-scanning/alerts`]: {},
  [`GET ${R}/security-advisories`]: {},
  "GET /advisories": {},
};

/** Routes that GitHub's OpenAPI does not describe: the sandbox's own, the site's, a path that is empty, and GraphQL, whose schema does. */
export const notDescribed = [/ \/_github\//, / \/graphql$/, / \/login\//];
