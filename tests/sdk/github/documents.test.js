// The server's GraphQL documents against GitHub's schema, and the sandbox's schema as a part of it.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { schema as published } from "@octokit/graphql-schema";
import {
  buildSchema,
  extendSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isUnionType,
  parse,
  validate,
} from "graphql";

const server = new URL("../../../servers/github/src/", import.meta.url);
const read = (folder) =>
  (existsSync(new URL(folder, server)) ? readdirSync(new URL(folder, server)) : [])
    .filter((name) => name.endsWith(".graphql"))
    .map((name) => ({ name, text: readFileSync(new URL(`${folder}/${name}`, server), "utf8") }));

// GitHub's own file defines some fields twice.
const packaged = buildSchema(published.idl, { assumeValidSDL: true });
// The package is behind docs.github.com/graphql. What the sandbox has of the rest stands apart in its files.
const NEWER = "# What follows is newer than the description that GitHub publishes as a package";
const newer = parse(
  read("sandbox/schema")
    .map(({ text }) => text.split(NEWER)[1]?.split("\n").slice(1).join("\n") ?? "")
    .join("\n"),
);
const theirs = extendSchema(packaged, newer, { assumeValid: true });
// The root of mutations has no fields but what the subjects add.
const ours = buildSchema(read("sandbox/schema").map(({ text }) => text).join("\n"), { assumeValidSDL: true });

const documents = read("api/documents");
test("the server has documents", () => assert.notEqual(documents.length, 0));

for (const { name, text } of documents) {
  test(`GitHub understands ${name}`, () => {
    assert.deepEqual(validate(theirs, parse(text)).map(({ message }) => message), []);
  });
  test(`the sandbox understands ${name}`, () => {
    assert.deepEqual(validate(ours, parse(text)).map(({ message }) => message), []);
  });
}

test("what is called newer than the package is not in it", () => {
  const known = [];
  for (const definition of newer.definitions) {
    const name = definition.name.value;
    const type = packaged.getType(name);
    if (!definition.kind.endsWith("Extension")) {
      if (type) known.push(name);
      continue;
    }
    const has = (part) => type.getFields?.()[part] ?? type.getValue?.(part) ?? type.getTypes?.().find((t) => t.name === part);
    const parts = [...(definition.fields ?? []), ...(definition.values ?? []), ...(definition.types ?? [])];
    parts.filter((part) => has(part.name.value)).forEach((part) => known.push(`${name}.${part.name.value}`));
  }
  assert.deepEqual(known, []);
});

test("the sandbox's schema is a part of GitHub's", () => {
  const wrong = [];
  const same = (what, a, b) => String(a) === String(b) || wrong.push(`${what}: ${a}, GitHub has ${b}`);
  const within = (what, a, b) => {
    const known = new Set(b.map(({ name }) => name));
    a.filter(({ name }) => !known.has(name)).forEach(({ name }) => wrong.push(`${what}: GitHub has no ${name}`));
  };
  for (const type of Object.values(ours.getTypeMap())) {
    if (type.name.startsWith("__")) continue;
    const known = theirs.getType(type.name);
    if (!known) {
      wrong.push(`GitHub has no type ${type.name}`);
      continue;
    }
    same(`${type.name} is`, type.constructor.name, known.constructor.name);
    if (isEnumType(type)) within(type.name, type.getValues(), known.getValues());
    if (isUnionType(type)) within(type.name, type.getTypes(), known.getTypes());
    if (isInputObjectType(type)) {
      within(type.name, Object.values(type.getFields()), Object.values(known.getFields()));
      for (const field of Object.values(known.getFields())) {
        const own = type.getFields()[field.name];
        if (own) same(`${type.name}.${field.name}`, own.type, field.type);
        else if (isRequiredInputField(field)) wrong.push(`${type.name}.${field.name} is required`);
      }
    }
    if (isObjectType(type) || isInterfaceType(type)) {
      within(type.name, type.getInterfaces(), known.getInterfaces());
      within(type.name, Object.values(type.getFields()), Object.values(known.getFields()));
      for (const field of Object.values(type.getFields())) {
        const real = known.getFields()[field.name];
        if (!real) continue;
        const what = `${type.name}.${field.name}`;
        same(what, field.type, real.type);
        within(what, field.args, real.args);
        for (const argument of real.args) {
          const own = field.args.find(({ name }) => name === argument.name);
          if (own) {
            same(`${what}(${argument.name})`, own.type, argument.type);
            same(
              `${what}(${argument.name}) by default`,
              JSON.stringify(own.defaultValue),
              JSON.stringify(argument.defaultValue),
            );
          } else if (isRequiredArgument(argument)) wrong.push(`${what}(${argument.name}) is required`);
        }
      }
    }
  }
  assert.deepEqual(wrong, []);
});
