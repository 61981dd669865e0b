// GitHub's OpenAPI description as schemas that an answer can be held against.
//
// The description is OpenAPI 3.0: `nullable` is no JSON schema, and `oneOf` is meant as `anyOf` in many places
// where alternatives overlap. Formats are not checked.

import { createRequire } from "node:module";

import Ajv from "ajv";

const description = createRequire(import.meta.url)("@octokit/openapi/generated/api.github.com.json");

/** Where GitHub answers with null although it describes none. */
const nulls = [
  // A comment of a review that is outdated has no place any more.
  /\/(position|line|start_line)$/,
  // What a notification of a check suite is about has no address.
  /\/subject\/(url|latest_comment_url)$/,
];

const ajv = new Ajv({ verbose: true, strict: false, validateFormats: false, validateSchema: false, allErrors: true });
ajv.addSchema({ $id: "github", components: { schemas: schema(description.components.schemas) } });
const compiled = new Map();

function schema(of) {
  if (Array.isArray(of)) return of.map(schema);
  if (of === null || typeof of !== "object") return of;
  if (typeof of.$ref === "string") return { $ref: of.$ref.replace("#/", "github#/") };
  const { nullable, oneOf, example, examples, discriminator, ...rest } = of;
  const converted = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, schema(value)]));
  // The owner of an installation is a user or an enterprise; GitHub's own text says "all of" in some places.
  const titles = new Set((of.allOf ?? []).map(({ title }) => title));
  if (titles.has("Simple User") && titles.has("Enterprise")) {
    converted.anyOf = converted.allOf;
    delete converted.allOf;
  }
  if (oneOf) {
    const anyOf = schema(oneOf);
    if (converted.anyOf) converted.allOf = [...(converted.allOf ?? []), { anyOf }];
    else converted.anyOf = anyOf;
  }
  return nullable === true ? { anyOf: [{ type: "null" }, converted] } : converted;
}

const resolve = (of, kind) => (of?.$ref ? description.components[kind][of.$ref.split("/").pop()] : of);

/** The operation of a route; undefined if GitHub has none. */
export function operation(route) {
  const [method, path] = route.split(" ");
  return description.paths[path]?.[method.toLowerCase()];
}

/** What is wrong with a JSON answer to a route, as lines; empty if nothing is. */
export function faults(route, status, body) {
  const described = resolve(operation(route).responses[status], "responses");
  if (!described) return [`GitHub describes no status ${status}`];
  const content = Object.entries(described.content ?? {}).find(([type]) => /json/.test(type))?.[1];
  if (!content?.schema) return [];
  const key = `${route} ${status}`;
  if (!compiled.has(key)) compiled.set(key, ajv.compile(schema(content.schema)));
  const validate = compiled.get(key);
  if (validate(body)) return [];
  const wrong = validate.errors.filter(
    ({ data, instancePath }) => data !== null || !nulls.some((place) => place.test(instancePath)),
  );
  const lines = wrong.map((error) => `${error.instancePath || "/"} ${error.message}${extra(error.params)}`);
  return [...new Set(lines)].slice(0, 25);
}

function extra(params) {
  const said = params.additionalProperty ?? params.allowedValues?.join("|");
  return said ? ` (${said})` : "";
}
