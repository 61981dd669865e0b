// The sandbox's answers have the types that the official SDK declares for them: each is assigned to its type. Which
// fields there are is checked against Slack's samples (servers/slack/tests/it/samples.rs).

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";

import { WebClient } from "@slack/web-api";

const given = process.env.SLACK_API_URL;
assert.ok(given, "SLACK_API_URL must say where the sandbox answers");
const slackApiUrl = `${given.replace(/\/+$/, "")}/`;
const user = new WebClient("xoxp-sandbox", { slackApiUrl, retryConfig: { retries: 0 } });

const INCIDENT = "C0INC0IMPORT";
const LIST = "F0LISTACTN1";

/** Methods, each with its arguments, or with what makes them of the answers before. */
const calls = [
  ["auth.test", {}],
  ["team.info", {}],
  ["emoji.list", {}],
  ["conversations.list", { types: "public_channel,private_channel,im,mpim" }],
  ["conversations.info", { channel: INCIDENT, include_num_members: true }],
  ["conversations.members", { channel: INCIDENT }],
  ["conversations.history", { channel: INCIDENT, include_all_metadata: true }],
  ["conversations.replies", (before) => ({ channel: INCIDENT, ts: thread(before) })],
  ["conversations.create", { name: "types" }],
  ["conversations.open", { users: "U0TOMAS0001" }],
  ["conversations.setTopic", { channel: INCIDENT, topic: "Types" }],
  ["users.conversations", { types: "public_channel,private_channel,im,mpim" }],
  ["users.list", {}],
  ["users.info", { user: "U0TOMAS0001" }],
  ["users.profile.get", { user: "U0TOMAS0001" }],
  ["users.getPresence", { user: "U0TOMAS0001" }],
  ["users.lookupByEmail", { email: "tomas@harbor.example" }],
  ["usergroups.list", { include_users: true }],
  ["usergroups.users.list", { usergroup: "S0IMPORTS01" }],
  ["chat.postMessage", { channel: INCIDENT, markdown_text: "Types" }],
  ["chat.update", (before) => ({ channel: INCIDENT, ts: posted(before), markdown_text: "Types, again" })],
  ["chat.getPermalink", (before) => ({ channel: INCIDENT, message_ts: posted(before) })],
  ["reactions.get", (before) => ({ channel: INCIDENT, timestamp: posted(before), full: true })],
  ["pins.add", (before) => ({ channel: INCIDENT, timestamp: posted(before) })],
  ["pins.list", { channel: INCIDENT }],
  ["bookmarks.list", { channel_id: INCIDENT }],
  ["bookmarks.add", { channel_id: INCIDENT, title: "Types", type: "link", link: "https://harbor.example" }],
  ["chat.delete", (before) => ({ channel: INCIDENT, ts: posted(before) })],
  ["chat.scheduleMessage", () => ({ channel: INCIDENT, post_at: Math.floor(Date.now() / 1000) + 7200, text: "Types" })],
  ["chat.scheduledMessages.list", {}],
  ["search.messages", { query: "import" }],
  ["search.files", { query: "runbook" }],
  ["files.list", {}],
  ["files.info", { file: "F0GRAPH0001" }],
  ["files.getUploadURLExternal", { filename: "a.txt", length: 1 }],
  ["canvases.create", { title: "Types" }],
  ["slackLists.items.list", { list_id: LIST }],
  ["slackLists.items.info", (before) => ({ list_id: LIST, id: before["slackLists.items.list"].items[0].id })],
];

const posted = (before) => before["chat.postMessage"].ts;
const thread = (before) => before["conversations.history"].messages.find((message) => message.reply_count).ts;

/** The SDK's types come from samples: they know no null, some fields and some of the words that a field may be. */
const HEAD = `import type * as api from "@slack/web-api";
type Loose<T> = T extends string ? string
  : T extends (infer Item)[] ? Loose<Item>[]
  : T extends object ? { [K in keyof T]: Loose<T[K]> | null } & { [field: string]: unknown }
  : T;`;

/** The text of a context block is one (docs.slack.dev/reference/block-kit/blocks/context-block), not an object of its own. */
const CONTEXT = "Type 'string' is not assignable to type '{ emoji?: boolean";

/** The name of the type of a method's answer: `ConversationsHistoryResponse`. */
const typeOf = (method) =>
  `${method.split(".").map((word) => word[0].toUpperCase() + word.slice(1)).join("")}Response`;

before(() => fetch(`${slackApiUrl.replace(/api\/$/, "")}_sandbox/reset`, { method: "POST" }));

test("every answer has the type that the SDK declares for it", async () => {
  const answers = {};
  for (const [method, given] of calls) {
    const answer = await user.apiCall(method, typeof given === "function" ? given(answers) : given);
    delete answer.response_metadata; // What the SDK itself adds.
    answers[method] = answer;
  }
  const lines = Object.entries(answers).map(
    ([method, answer]) => `export const ${typeOf(method)}: Loose<api.${typeOf(method)}> = ${JSON.stringify(answer, null, 1)};`,
  );
  const place = mkdtempSync(join(import.meta.dirname, "answers-"));
  try {
    const file = join(place, "answers.ts");
    writeFileSync(file, `${HEAD}\n${lines.join("\n")}\n`);
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--pretty", "false"];
    execFileSync("node", ["node_modules/typescript/bin/tsc", ...options, file], { cwd: import.meta.dirname });
  } catch (error) {
    const wrong = String(error.stdout).trim().split("\n").filter((line) => line.includes("error TS") && !line.includes(CONTEXT));
    assert.deepEqual(wrong, []);
  } finally {
    rmSync(place, { recursive: true });
  }
});
