// The official SDK, unmodified, against the sandbox. SLACK_API_URL says where it answers
// (http://127.0.0.1:4010/api).

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { before, test } from "node:test";

import { ErrorCode, WebClient } from "@slack/web-api";

const given = process.env.SLACK_API_URL;
assert.ok(given, "SLACK_API_URL must say where the sandbox answers");
const slackApiUrl = `${given.replace(/\/+$/, "")}/`;
const home = slackApiUrl.replace(/api\/$/, "");

const as = (token, options = {}) => new WebClient(token, { slackApiUrl, retryConfig: { retries: 0 }, ...options });
const user = as("xoxp-sandbox");
const bot = as("xoxb-sandbox");

const INCIDENT = "C0INC0IMPORT";
const ENGINEERS = "C0ENGIMPORT";
const TOMAS = "U0TOMAS0001";

/** The refusal of a call that must be refused. */
async function refused(call) {
  const error = await call.then(
    (answer) => assert.fail(`should have been refused: ${JSON.stringify(answer)}`),
    (error) => error,
  );
  assert.equal(error.code, ErrorCode.PlatformError, String(error));
  return error.data;
}

before(() => fetch(`${home}_sandbox/reset`, { method: "POST" }));

test("who the token is, and its scopes", async () => {
  const me = await user.auth.test();
  assert.equal(me.user, "maya");
  assert.equal(me.url, "https://harbor-example.slack.com/");
  assert.ok(me.response_metadata.scopes.includes("chat:write"));
  assert.ok((await bot.auth.test()).bot_id);
  assert.equal((await user.team.info()).team.domain, "harbor-example");
});

test("a token that is refused, one that lacks a scope, and a method that there is not", async () => {
  assert.equal((await refused(as("xoxp-nobody").auth.test())).error, "invalid_auth");
  assert.equal((await refused(as(undefined).auth.test())).error, "not_authed");
  const lacking = await refused(as("xoxp-sandbox-readonly").chat.postMessage({ channel: ENGINEERS, text: "x" }));
  assert.equal(lacking.error, "missing_scope");
  assert.equal(lacking.needed, "chat:write");
  assert.ok(lacking.provided.includes("channels:read"));
  assert.equal((await refused(user.apiCall("no.such.method"))).error, "unknown_method");
  const wrong = await refused(user.conversations.history({}));
  assert.ok(wrong.response_metadata.messages[0].includes("channel"));
});

test("lists page to their end", async () => {
  const names = [];
  let pages = 0;
  for await (const page of user.paginate("conversations.list", { limit: 5, exclude_archived: true })) {
    names.push(...page.channels.map((channel) => channel.name));
    pages += 1;
  }
  assert.ok(pages >= 3);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.includes("eng-imports") && !names.includes("imports-2024") && !names.includes("leadership"));
  const people = await user.users.list({ limit: 4 });
  assert.ok(people.response_metadata.next_cursor.endsWith("="));
  const more = await user.users.list({ limit: 4, cursor: people.response_metadata.next_cursor });
  assert.notEqual(more.members[0].id, people.members[0].id);
  assert.equal((await refused(user.users.list({ cursor: "nonsense" }))).error, "invalid_cursor");
});

test("a bot sees only the conversations it is in", async () => {
  assert.equal((await refused(bot.conversations.history({ channel: "C0DESIGN000" }))).error, "not_in_channel");
  assert.equal((await refused(bot.conversations.info({ channel: "C0DEALS0000" }))).error, "channel_not_found");
  assert.ok((await user.conversations.history({ channel: "C0DESIGN000" })).messages.length > 0);
  assert.equal((await refused(user.conversations.info({ channel: "C0LEADERS00" }))).error, "channel_not_found");
});

test("history is newest first, and replies are in their thread alone", async () => {
  const { messages } = await user.conversations.history({ channel: INCIDENT, limit: 50 });
  assert.deepEqual(
    messages.map((message) => message.ts),
    messages.map((message) => message.ts).toSorted().reverse(),
  );
  const parent = messages.find((message) => message.reply_count > 20);
  const thread = await user.conversations.replies({ channel: INCIDENT, ts: parent.ts, limit: 5 });
  assert.equal(thread.messages[0].ts, parent.ts);
  assert.ok(thread.has_more && thread.response_metadata.next_cursor);
  const reply = thread.messages[1];
  assert.equal(reply.parent_user_id, parent.user);
  const alone = await user.conversations.replies({ channel: INCIDENT, ts: reply.ts });
  assert.deepEqual(alone.messages.map((message) => message.ts), [reply.ts]);
  assert.equal((await refused(user.conversations.replies({ channel: INCIDENT, ts: "1.000000" }))).error, "thread_not_found");
});

test("a window with only its beginning gives the page closest to it", async () => {
  const all = (await user.conversations.history({ channel: INCIDENT, limit: 100 })).messages;
  const oldest = all.at(-1).ts;
  const page = await user.conversations.history({ channel: INCIDENT, oldest, limit: 2 });
  assert.deepEqual(page.messages.map((message) => message.ts), [all.at(-3).ts, all.at(-2).ts]);
});

test("a message is posted, edited, reacted to, pinned and deleted", async () => {
  const posted = await user.chat.postMessage({ channel: ENGINEERS, text: "see <@U0TOMAS0001> &amp; co" });
  assert.equal(posted.message.blocks[0].type, "rich_text");
  assert.equal(posted.message.blocks[0].elements[0].elements.at(-1).text, " & co");
  const at = { channel: ENGINEERS, timestamp: posted.ts };
  await user.reactions.add({ ...at, name: "eyes" });
  assert.equal((await refused(user.reactions.add({ ...at, name: "eyes" }))).error, "already_reacted");
  assert.equal((await refused(user.reactions.add({ ...at, name: "thumbs_up" }))).error, "invalid_name");
  assert.equal((await user.reactions.get(at)).message.reactions[0].count, 1);
  await user.pins.add(at);
  assert.ok((await user.pins.list({ channel: ENGINEERS })).items.some((item) => item.message.ts === posted.ts));
  const edited = await user.chat.update({ channel: ENGINEERS, ts: posted.ts, text: "new" });
  assert.equal(edited.message.text, "new");
  assert.equal((await refused(bot.chat.update({ channel: ENGINEERS, ts: posted.ts, text: "x" }))).error, "cant_update_message");
  assert.equal((await refused(bot.chat.delete({ channel: ENGINEERS, ts: posted.ts }))).error, "cant_delete_message");
  const link = await user.chat.getPermalink({ channel: ENGINEERS, message_ts: posted.ts });
  assert.equal(link.permalink, `https://harbor-example.slack.com/archives/${ENGINEERS}/p${posted.ts.replace(".", "")}`);
  await user.chat.delete({ channel: ENGINEERS, ts: posted.ts });
  assert.equal((await refused(user.chat.getPermalink({ channel: ENGINEERS, message_ts: posted.ts }))).error, "message_not_found");
});

test("what is too long, empty or contradictory is refused", async () => {
  const post = (more) => refused(user.chat.postMessage({ channel: ENGINEERS, ...more }));
  assert.equal((await post({ markdown_text: "a", text: "b" })).error, "markdown_text_conflict");
  assert.equal((await post({ markdown_text: "x".repeat(12_001) })).error, "msg_too_long");
  assert.equal((await post({ text: "" })).error, "no_text");
  assert.equal((await refused(user.chat.postMessage({ channel: "C0OLDIMPORT", text: "x" }))).error, "is_archived");
});

test("files are uploaded in three steps, into a channel and its thread", async () => {
  const parent = await user.chat.postMessage({ channel: ENGINEERS, text: "files follow" });
  const answer = await user.files.uploadV2({
    channel_id: ENGINEERS,
    thread_ts: parent.ts,
    initial_comment: "the rows",
    filename: "rows.csv",
    content: "a,b\n1,2\n",
  });
  const file = answer.files[0].files[0];
  assert.equal(file.filetype, "csv");
  const { file: info } = await user.files.info({ file: file.id });
  assert.equal(info.shares.public[ENGINEERS][0].thread_ts, parent.ts);
  const content = await fetch(info.url_private_download, { headers: { authorization: "Bearer xoxp-sandbox" } });
  assert.equal(await content.text(), "a,b\n1,2\n");
  const page = await fetch(info.url_private_download);
  assert.ok(page.headers.get("content-type").startsWith("text/html"));
  const two = await user.files.uploadV2({
    channel_id: ENGINEERS,
    file_uploads: [
      { filename: "a.txt", content: "a" },
      { filename: "b.txt", file: Buffer.from("bb") },
    ],
  });
  assert.equal(two.files[0].files.length, 2);
  const again = refused(user.apiCall("files.completeUploadExternal", { files: [{ id: file.id }] }));
  assert.equal((await again).error, "file_not_found");
  const person = await refused(user.files.completeUploadExternal({ files: [{ id: file.id }], channel_id: TOMAS }));
  assert.equal(person.error, "invalid_arguments");
});

test("scheduled messages are posted by the clock, and can be taken back until a minute before", async () => {
  const { now } = await (await fetch(`${home}_sandbox/clock`)).json();
  const at = Math.floor(new Date(now).getTime() / 1000) + 600;
  const post_at = String(at);
  const first = await user.chat.scheduleMessage({ channel: ENGINEERS, post_at, text: "later" });
  const second = await user.chat.scheduleMessage({ channel: ENGINEERS, post_at, text: "never" });
  const marked = await user.chat.scheduleMessage({ channel: ENGINEERS, post_at, text: "marked", metadata: { event_type: "a", event_payload: {} } });
  assert.ok(marked.scheduled_message_id);
  const listed = await user.chat.scheduledMessages.list({ channel: ENGINEERS });
  assert.ok(listed.scheduled_messages.some((message) => message.id === first.scheduled_message_id));
  await user.chat.deleteScheduledMessage({ channel: ENGINEERS, scheduled_message_id: second.scheduled_message_id });
  await fetch(`${home}_sandbox/clock`, { method: "POST", headers: { "content-type": "application/json" }, body: '{"advance_s":660}' });
  const { messages } = await user.conversations.history({ channel: ENGINEERS, limit: 10 });
  const texts = messages.map((message) => message.text);
  assert.ok(texts.includes("later") && !texts.includes("never") && !texts.includes("marked"), texts.join());
  assert.equal((await refused(user.chat.scheduleMessage({ channel: ENGINEERS, post_at, text: "x" }))).error, "time_in_past");
});

test("both searches, and what a filter acts on", async () => {
  const legacy = await user.search.messages({ query: "from:<@U0TOMAS0001> in:<#C0ENGIMPORT> -design", count: 3 });
  assert.ok(legacy.messages.total > 0 && legacy.messages.matches.every((match) => match.user === TOMAS));
  const real = (more) => user.apiCall("assistant.search.context", { query: "import", content_types: ["messages"], ...more });
  const without = await real({ modifiers: "from:<@U0TOMAS0001>" });
  assert.ok(without.results.messages.some((message) => message.author_user_id !== TOMAS), "modifiers alone do nothing");
  const filtered = await real({ term_clauses: ["import"], modifiers: "from:<@U0TOMAS0001>" });
  assert.ok(filtered.results.messages.length > 0);
  assert.ok(filtered.results.messages.every((message) => message.author_user_id === TOMAS));
  assert.equal((await refused(bot.apiCall("assistant.search.context", { query: "import" }))).error, "missing_action_token");
  assert.equal((await refused(bot.search.messages({ query: "import" }))).error, "missing_scope");
});

test("conversations are opened, made, filled and archived", async () => {
  const open = await user.conversations.open({ users: TOMAS });
  assert.equal(open.already_open, true);
  const group = await user.conversations.open({ users: `${TOMAS},U0PRIYA0001,U0JONAS0001` });
  assert.ok(group.channel.id.startsWith("G"));
  const { channel } = await user.conversations.create({ name: "sdk-made", is_private: false });
  assert.equal((await refused(user.conversations.create({ name: "sdk-made" }))).error, "name_taken");
  assert.equal((await refused(user.conversations.create({ name: "Not Good" }))).error, "invalid_name_specials");
  await user.conversations.invite({ channel: channel.id, users: TOMAS });
  await user.conversations.setTopic({ channel: channel.id, topic: "SDK" });
  const info = await user.conversations.info({ channel: channel.id, include_num_members: true });
  assert.equal(info.channel.num_members, 2);
  assert.equal(info.channel.topic.value, "SDK");
  await user.conversations.archive({ channel: channel.id });
  assert.equal((await refused(user.conversations.archive({ channel: channel.id }))).error, "already_archived");
});

test("user groups, bookmarks, emoji, canvases", async () => {
  const { usergroups } = await user.usergroups.list({ include_users: true });
  assert.ok(usergroups.every((group) => group.users.length > 0));
  await user.usergroups.users.update({ usergroup: usergroups[0].id, users: TOMAS });
  assert.deepEqual((await user.usergroups.users.list({ usergroup: usergroups[0].id })).users, [TOMAS]);
  const { bookmark } = await user.bookmarks.add({ channel_id: INCIDENT, title: "Status", type: "link", link: "https://status.harbor.example" });
  await user.bookmarks.remove({ channel_id: INCIDENT, bookmark_id: bookmark.id });
  assert.ok((await user.emoji.list()).emoji["party-parrot"]);
  const { canvas_id } = await user.canvases.create({ title: "Plan", document_content: { type: "markdown", markdown: "# A\n\ntext" } });
  const { sections } = await user.canvases.sections.lookup({ canvas_id, criteria: { section_types: ["any_header"] } });
  assert.equal(sections.length, 1);
  const change = { operation: "insert_at_end", document_content: { type: "markdown", markdown: "end" } };
  await user.canvases.edit({ canvas_id, changes: [change] });
  assert.equal((await refused(user.canvases.edit({ canvas_id, changes: [change, change] }))).error, "invalid_arguments");
});

test("a used-up tier is answered with 429 and when to come back", async () => {
  const client = as("xoxp-sandbox-tier", { rejectRateLimitedCalls: true });
  const calls = await Promise.allSettled(Array.from({ length: 25 }, () => client.emoji.list()));
  const limited = calls.filter((call) => call.status === "rejected").map((call) => call.reason);
  assert.ok(limited.length >= 4, `${limited.length} of 25 were refused`);
  assert.ok(limited.every((error) => error.code === ErrorCode.RateLimitedError && error.retryAfter >= 1));
  await client.users.info({ user: TOMAS });
});

test("an application outside the Marketplace gets 15 messages, once a minute", async () => {
  const client = as("xoxp-sandbox-unlisted", { rejectRateLimitedCalls: true });
  const page = await client.conversations.replies({
    channel: INCIDENT,
    ts: (await user.conversations.history({ channel: INCIDENT })).messages.find((message) => message.reply_count > 20).ts,
    limit: 100,
  });
  assert.equal(page.messages.length, 15);
  const again = await client.conversations.replies({ channel: INCIDENT, ts: page.messages[0].ts }).catch((error) => error);
  assert.equal(again.code, ErrorCode.RateLimitedError);
});

test("a login is exchanged, rotates once, and expires by the clock", async () => {
  const redirect = "http://localhost:3118/callback";
  const client_id = "1111111111.2222222222";
  const client_secret = "sandbox-secret";
  const query = new URLSearchParams({ client_id, user_scope: "users:read,channels:read", redirect_uri: redirect, state: "s1" });
  const consent = await fetch(`${home}oauth/v2/authorize?${query}`, { redirect: "manual" });
  const target = new URL(consent.headers.get("location"));
  assert.equal(target.searchParams.get("state"), "s1");
  const client = as(undefined);
  const first = await client.oauth.v2.access({ client_id, client_secret, code: target.searchParams.get("code"), redirect_uri: redirect });
  assert.match(first.authed_user.access_token, /^xoxe\.xoxp-/);
  assert.equal(first.authed_user.expires_in, 43_200);
  assert.equal((await as(first.authed_user.access_token).auth.test()).user, "maya");
  const refresh = (token) => client.oauth.v2.access({ client_id, client_secret, grant_type: "refresh_token", refresh_token: token });
  const second = await refresh(first.authed_user.refresh_token);
  assert.equal((await refresh(first.authed_user.refresh_token)).access_token, second.access_token, "within the grace");
  await fetch(`${home}_sandbox/clock`, { method: "POST", headers: { "content-type": "application/json" }, body: '{"advance_s":43300}' });
  assert.equal((await refused(as(second.access_token).auth.test())).error, "token_expired");
  assert.equal((await refused(refresh(first.authed_user.refresh_token))).error, "invalid_refresh_token");
});

test("events are signed as Slack signs them", async () => {
  const secret = "events-secret";
  const { event, valid } = await new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      const chunks = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        const base = `v0:${request.headers["x-slack-request-timestamp"]}:${body}`;
        const wanted = `v0=${createHmac("sha256", secret).update(base).digest("hex")}`;
        response.end("");
        server.close();
        resolve({ event: JSON.parse(body), valid: wanted === request.headers["x-slack-signature"] });
      });
    });
    server.listen(0, "127.0.0.1", async () => {
      const url = `http://127.0.0.1:${server.address().port}/events`;
      await fetch(`${home}_slack/events`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ url, secret }) });
      user.chat.postMessage({ channel: ENGINEERS, text: "tell" }).catch(reject);
    });
  });
  assert.ok(valid, "the signature does not fit the body");
  assert.equal(event.event.text, "tell");
  assert.equal(event.type, "event_callback");
});
