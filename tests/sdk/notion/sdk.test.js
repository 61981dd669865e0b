// The official SDK, unmodified, against the sandbox. NOTION_API_URL says where it answers
// (http://127.0.0.1:4010/v1).

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  APIErrorCode,
  Client,
  collectAllDataSourceRows,
  collectPaginatedAPI,
  isFullBlock,
  isFullComment,
  isFullDatabase,
  isFullDataSource,
  isFullPage,
  isFullUser,
  isFullView,
} from "@notionhq/client";

const apiUrl = process.env.NOTION_API_URL;
assert.ok(apiUrl, "NOTION_API_URL must say where the sandbox answers");
const baseUrl = apiUrl.replace(/\/v1\/?$/, "");

const notion = as("ntn_sdk");
const TASKS = "50ce0000-0000-4000-8000-000000000001";
const DATABASE = "db000000-0000-4000-8000-000000000001";
const RUNBOOKS = "9a9e0000-0000-4000-8000-000000000004";
const PROJECT = "b40ec700-0000-4000-8000-000000000001";

function as(auth, options = {}) {
  return new Client({ auth, baseUrl, notionVersion: "2026-03-11", ...options });
}

async function refusal(promise) {
  const error = await promise.then(() => assert.fail("it was not refused"), (error) => error);
  return error;
}

test("users: me, all, one", async () => {
  const me = await notion.users.me({});
  assert.equal(me.type, "bot");
  assert.equal(me.bot.workspace_name, "Harbor");
  const users = await collectPaginatedAPI(notion.users.list, { page_size: 3 });
  assert.ok(users.length >= 9 && users.every(isFullUser));
  const maya = users.find((user) => user.person?.email === "maya@harbor.example");
  assert.equal((await notion.users.retrieve({ user_id: maya.id })).name, "Maya Lindqvist");
});

test("search finds pages and data sources by title", async () => {
  const pages = await notion.search({ query: "post-mortem", filter: { property: "object", value: "page" } });
  assert.ok(pages.results.length === 1 && isFullPage(pages.results[0]));
  const tables = await notion.search({ query: "tasks", filter: { property: "object", value: "data_source" } });
  assert.ok(tables.results.some((found) => isFullDataSource(found) && found.id === TASKS));
});

test("a database, its data source, templates, and rows to their end", async () => {
  const database = await notion.databases.retrieve({ database_id: DATABASE });
  assert.ok(isFullDatabase(database));
  assert.deepEqual(database.data_sources, [{ id: TASKS, name: "Tasks" }]);
  const source = await notion.dataSources.retrieve({ data_source_id: TASKS });
  assert.ok(isFullDataSource(source));
  assert.equal(source.properties.Status.type, "status");
  const { templates } = await notion.dataSources.listTemplates({ data_source_id: TASKS });
  assert.ok(templates.some((template) => template.name === "Sprint" && template.is_default));
  const open = await notion.dataSources.query({
    data_source_id: TASKS,
    filter: { and: [{ property: "Status", status: { does_not_equal: "Done" } }, { property: "Priority", select: { equals: "High" } }] },
    sorts: [{ property: "Due", direction: "ascending" }],
  });
  assert.ok(open.results.length > 3 && open.results.every(isFullPage));
  const all = await collectAllDataSourceRows(notion, { data_source_id: TASKS });
  assert.ok(all.length >= 44);
});

test("a list of more than 25 entries is cut on the page and whole in its property", async () => {
  const page = await notion.pages.retrieve({ page_id: PROJECT });
  const tasks = page.properties.Tasks;
  assert.equal(tasks.relation.length, 25);
  assert.equal(tasks.has_more, true);
  const first = await notion.pages.properties.retrieve({ page_id: PROJECT, property_id: tasks.id, page_size: 30 });
  const rest = await notion.pages.properties.retrieve({
    page_id: PROJECT,
    property_id: tasks.id,
    start_cursor: first.next_cursor,
  });
  assert.equal(first.results.length + rest.results.length, 40);
});

test("a page is created, read, changed, moved and trashed", async () => {
  const page = await notion.pages.create({
    parent: { page_id: RUNBOOKS },
    markdown: "# Restart the worker\n1. Stop it\n2. Start it\n```shell\nsystemctl restart import\n```",
  });
  assert.ok(isFullPage(page));
  assert.equal(page.properties.title.title[0].plain_text, "Restart the worker");
  const text = await notion.pages.retrieveMarkdown({ page_id: page.id });
  assert.equal(text.markdown, "1. Stop it\n2. Start it\n```shell\nsystemctl restart import\n```");
  const edited = await notion.pages.updateMarkdown({
    page_id: page.id,
    type: "update_content",
    update_content: { content_updates: [{ old_str: "Stop it", new_str: "Stop it **gently**" }] },
  });
  assert.ok(edited.markdown.startsWith("1. Stop it **gently**"));
  const missing = await refusal(
    notion.pages.updateMarkdown({
      page_id: page.id,
      type: "update_content",
      update_content: { content_updates: [{ old_str: "nowhere", new_str: "" }] },
    }),
  );
  assert.equal(missing.code, APIErrorCode.ValidationError);
  const moved = await notion.pages.move({ page_id: page.id, parent: { data_source_id: TASKS } });
  assert.equal(moved.parent.data_source_id, TASKS);
  const trashed = await notion.pages.update({ page_id: page.id, in_trash: true });
  assert.equal(trashed.in_trash, true);
});

test("rows take typed values, and refuse what their columns do not know", async () => {
  const row = await notion.pages.create({
    parent: { data_source_id: TASKS },
    properties: {
      Task: { title: [{ text: { content: "From the SDK" } }] },
      Status: { status: { name: "To do" } },
      Tags: { multi_select: [{ name: "sdk" }] },
      Due: { date: { start: "2026-12-01", end: "2026-12-03" } },
    },
  });
  assert.equal(row.properties.Status.status.name, "To do");
  assert.equal(row.properties.Due.date.end, "2026-12-03");
  assert.ok(row.properties.ID.unique_id.number > 44);
  const error = await refusal(
    notion.pages.update({ page_id: row.id, properties: { Status: { status: { name: "Someday" } } } }),
  );
  assert.equal(error.code, APIErrorCode.ValidationError);
  assert.match(error.message, /Someday/);
});

test("blocks are appended in their place, changed and deleted, in both versions", async () => {
  const page = await notion.pages.create({ parent: { page_id: RUNBOOKS }, properties: { title: { title: [{ text: { content: "Blocks" } }] } } });
  const text = (content) => ({ paragraph: { rich_text: [{ text: { content } }] } });
  const first = await notion.blocks.children.append({ block_id: page.id, children: [text("one"), text("three")] });
  assert.ok(first.results.every(isFullBlock));
  await notion.blocks.children.append({
    block_id: page.id,
    children: [text("two")],
    position: { type: "after_block", after_block: { id: first.results[0].id } },
  });
  const old = as("ntn_sdk", { notionVersion: "2025-09-03" });
  await old.blocks.children.append({ block_id: page.id, children: [text("four")], after: first.results[1].id });
  const words = async () =>
    (await collectPaginatedAPI(notion.blocks.children.list, { block_id: page.id, page_size: 2 })).map(
      (block) => block.paragraph.rich_text[0].plain_text,
    );
  assert.deepEqual(await words(), ["one", "two", "three", "four"]);
  await notion.blocks.update({ block_id: first.results[0].id, paragraph: { rich_text: [{ text: { content: "ONE" } }] } });
  await notion.blocks.delete({ block_id: first.results[1].id });
  assert.deepEqual(await words(), ["ONE", "two", "four"]);
  const many = await refusal(
    notion.blocks.children.append({ block_id: page.id, children: Array.from({ length: 101 }, () => text("x")) }),
  );
  assert.match(many.message, /body\.children\.length should be ≤ `100`, instead was `101`/);
});

test("comments are written, answered, changed and deleted", async () => {
  const comment = await notion.comments.create({ parent: { page_id: RUNBOOKS }, markdown: "Is this **current**?" });
  assert.ok(isFullComment(comment));
  await notion.comments.create({ discussion_id: comment.discussion_id, rich_text: [{ text: { content: "Yes." } }] });
  const all = await notion.comments.list({ block_id: RUNBOOKS });
  assert.equal(all.results.length, 2);
  await notion.comments.update({ comment_id: comment.id, markdown: "Is it?" });
  await notion.comments.delete({ comment_id: comment.id });
  assert.equal((await notion.comments.list({ block_id: RUNBOOKS })).results.length, 1);
});

test("views are saved, asked and deleted", async () => {
  const listed = await notion.views.list({ data_source_id: TASKS });
  assert.ok(listed.results.length >= 3);
  const view = await notion.views.create({
    database_id: DATABASE,
    data_source_id: TASKS,
    name: "High",
    type: "table",
    filter: { property: "Priority", select: { equals: "High" } },
  });
  assert.ok(isFullView(view));
  const query = await notion.views.queries.create({ view_id: view.id, page_size: 5 });
  assert.ok(query.total_count > 5 && query.results.length === 5);
  const next = await notion.views.queries.results({ view_id: view.id, query_id: query.id, start_cursor: query.next_cursor });
  assert.ok(next.results.length > 0);
  await notion.views.delete({ view_id: view.id });
});

test("files are uploaded whole and in parts, and attached", async () => {
  const upload = await notion.fileUploads.create({ mode: "single_part", filename: "a.txt", content_type: "text/plain" });
  assert.equal(upload.status, "pending");
  const sent = await notion.fileUploads.send({
    file_upload_id: upload.id,
    file: { filename: "a.txt", data: new Blob(["hello"], { type: "text/plain" }) },
  });
  assert.equal(sent.status, "uploaded");
  const parts = await notion.fileUploads.create({ mode: "multi_part", filename: "b.txt", content_type: "text/plain", number_of_parts: 2 });
  for (const part_number of ["1", "2"]) {
    await notion.fileUploads.send({
      file_upload_id: parts.id,
      file: { filename: "b.txt", data: new Blob([`part ${part_number}`], { type: "text/plain" }) },
      part_number,
    });
  }
  const whole = await notion.fileUploads.complete({ file_upload_id: parts.id });
  assert.equal(whole.content_length, 12);
  const { results } = await notion.blocks.children.append({
    block_id: RUNBOOKS,
    children: [{ file: { type: "file_upload", file_upload: { id: upload.id } } }],
  });
  const answer = await fetch(results[0].file.file.url);
  assert.equal(await answer.text(), "hello");
});

test("large writes may be tasks", async () => {
  const task = await notion.pages.create({ parent: { page_id: RUNBOOKS }, markdown: "# Later\nText", allow_async: true });
  assert.equal(task.object, "async_task");
  let status = await notion.asyncTasks.retrieve({ task_id: task.id });
  for (let look = 0; look < 5 && status.status !== "succeeded"; look += 1) {
    status = await notion.asyncTasks.retrieve({ task_id: task.id });
  }
  assert.equal(status.result.object, "page");
});

test("refusals are the SDK's own errors", async () => {
  const strange = await refusal(as("xoxb-nothing").users.me({}));
  assert.equal(strange.code, APIErrorCode.Unauthorized);
  const hidden = await refusal(notion.pages.retrieve({ page_id: "9a9e0000-0000-4000-8000-000000000010" }));
  assert.equal(hidden.code, APIErrorCode.ObjectNotFound);
  const reader = await refusal(
    as("ntn_readonly").pages.create({ parent: { page_id: RUNBOOKS }, properties: {} }),
  );
  assert.equal(reader.code, APIErrorCode.RestrictedResource);
  const archived = await refusal(notion.pages.update({ page_id: RUNBOOKS, archived: true }));
  assert.equal(archived.code, APIErrorCode.ValidationError);
  const person = await as("ntn_pat").pages.retrieve({ page_id: "9a9e0000-0000-4000-8000-000000000010" });
  assert.equal(person.properties.title.title[0].plain_text, "Salaries");
});
