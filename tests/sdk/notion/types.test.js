// What the sandbox answers has the types that the official SDK gives to Notion's answers, member for member.
// NOTION_API_URL says where it answers (http://127.0.0.1:4010/v1).

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const apiUrl = process.env.NOTION_API_URL;
assert.ok(apiUrl, "NOTION_API_URL must say where the sandbox answers");

const TASKS = "50ce0000-0000-4000-8000-000000000001";
const PROJECTS = "50ce0000-0000-4000-8000-000000000002";
const TASK = "7a5c0000-0000-4000-8000-000000000003";
const PROJECT = "b40ec700-0000-4000-8000-000000000001";
const POST_MORTEM = "9a9e0000-0000-4000-8000-000000000003";
const PAGES = [1, 2, 3, 5, 8, 9, 11].map((page) => `9a9e0000-0000-4000-8000-${String(page).padStart(12, "0")}`);
const VIEW = "f1e30000-0000-4000-8000-000000000002";

async function ask(path, body) {
  const answer = await fetch(`${apiUrl.replace(/\/$/, "")}/${path}`, {
    method: body ? "POST" : "GET",
    headers: {
      authorization: "Bearer ntn_sandbox",
      "notion-version": "2026-03-11",
      ...(body && { "content-type": "application/json" }),
    },
    body: body && JSON.stringify(body),
  });
  assert.equal(answer.status, 200, path);
  return answer.json();
}

/** Without what Notion answers and the SDK's types of 5.26.0 lack: that a list of linked rows goes on, and that a value
 * over more than 25 of them is not computed (developers.notion.com/reference/page-property-values). */
function typed(answer) {
  return JSON.parse(JSON.stringify(answer), (_, value) => {
    if (value?.type === "relation" && Array.isArray(value.relation)) delete value.has_more;
    if (value?.type === "incomplete") return { ...value, type: "unsupported", unsupported: {}, incomplete: undefined };
    return value;
  });
}

/** The type of an answer, and the answer. */
async function answers() {
  const list = async (type, path, body) => (await ask(path, body)).results.map((one) => [type, one, path]);
  const one = async (type, path) => [[type, await ask(path), path]];
  const all = [
    one("GetSelfResponse", "users/me"),
    list("UserObjectResponse", "users"),
    list("PageObjectResponse", "search", { filter: { property: "object", value: "page" } }),
    list("DataSourceObjectResponse", "search", { filter: { property: "object", value: "data_source" } }),
    list("PageObjectResponse", `data_sources/${TASKS}/query`, { page_size: 100 }),
    list("PageObjectResponse", `data_sources/${PROJECTS}/query`, {}),
    one("PageObjectResponse", `pages/${TASK}`),
    one("GetPagePropertyResponse", `pages/${PROJECT}/properties/title`),
    one("DatabaseObjectResponse", "databases/db000000-0000-4000-8000-000000000001"),
    one("DataSourceObjectResponse", `data_sources/${TASKS}`),
    one("DataSourceViewObjectResponse", `views/${VIEW}`),
    one("ListDatabaseViewsResponse", `views?data_source_id=${TASKS}`),
    one("ListDataSourceTemplatesResponse", `data_sources/${TASKS}/templates`),
    one("GetPageMarkdownResponse", `pages/${POST_MORTEM}/markdown`),
    list("CommentObjectResponse", `comments?block_id=${POST_MORTEM}`),
    ...PAGES.map((page) => list("BlockObjectResponse", `blocks/${page}/children`)),
  ];
  return (await Promise.all(all)).flat();
}

test("every answer has the type that the SDK gives it", async (context) => {
  const given = await answers();
  assert.ok(given.length > 100, `only ${given.length} answers`);
  // Below this folder, so that the SDK is found.
  const here = fileURLToPath(new URL(".", import.meta.url));
  const folder = mkdtempSync(join(here, "types-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const types = [...new Set(given.map(([type]) => type))];
  const lines = given.map(
    ([type, answer, path], at) => `// ${path}\nexport const a${at}: ${type} = ${JSON.stringify(typed(answer))};`,
  );
  const source = `import type { ${types.join(", ")} } from "@notionhq/client/build/src/api-endpoints.js";\n`;
  writeFileSync(join(folder, "answers.ts"), source + lines.join("\n"));
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022"];
  const compiler = join(here, "node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...options, join(folder, "answers.ts")], { encoding: "utf8" });
  assert.equal(status, 0, stdout.slice(0, 20_000));
});
