// The official client, unmodified, against the sandbox. HUBSPOT_API_URL says where it answers
// (http://127.0.0.1:4010).

import assert from "node:assert/strict";
import { test } from "node:test";

import { Client } from "@hubspot/api-client";

const basePath = process.env.HUBSPOT_API_URL?.replace(/\/$/, "");
assert.ok(basePath, "HUBSPOT_API_URL must say where the sandbox answers");

const as = (accessToken, more = {}) => new Client({ accessToken, basePath, ...more });
const client = as("pat-na1-sandbox");
const marker = `sdk${Date.now()}`;

test("contacts are created, read, changed and archived", async () => {
  const { basicApi } = client.crm.contacts;
  const made = await basicApi.create({ properties: { email: `${marker}@sdk.example`, firstname: "Ana" }, associations: [] });
  assert.ok(made.id);
  assert.ok(made.createdAt instanceof Date);
  const read = await basicApi.getById(made.id, ["email", "firstname", "phone"]);
  assert.equal(read.properties.firstname, "Ana");
  assert.equal(read.properties.phone, null);
  const byEmail = await basicApi.getById(`${marker}@sdk.example`, undefined, undefined, undefined, false, "email");
  assert.equal(byEmail.id, made.id);
  const changed = await basicApi.update(made.id, { properties: { firstname: "Anna" } });
  assert.equal(changed.properties.firstname, "Anna");
  await basicApi.archive(made.id);
  await assert.rejects(basicApi.getById(made.id), (error) => error.code === 404);
});

test("every page until there are no more", async () => {
  const all = await client.crm.contacts.getAll(10);
  assert.ok(all.length >= 30);
  assert.equal(new Set(all.map((one) => one.id)).size, all.length);
});

test("batches answer in parts", async () => {
  const { batchApi } = client.crm.companies;
  const read = await batchApi.read({ inputs: [{ id: "201" }, { id: "202" }], properties: ["name"], propertiesWithHistory: [] });
  assert.deepEqual(read.results.map((one) => one.properties.name), ["Northwind", "Alder Foods"]);
  const made = await batchApi.create({ inputs: [{ properties: { name: marker, domain: `${marker}.example` }, associations: [] }] });
  assert.equal(made.status, "COMPLETE");
  const id = made.results[0].id;
  await batchApi.update({ inputs: [{ id, properties: { city: "Kiel" } }] });
  await batchApi.archive({ inputs: [{ id }] });
});

test("searches by filters", async () => {
  const found = await client.crm.deals.searchApi.doSearch({
    filterGroups: [{ filters: [{ propertyName: "hs_is_closed", operator: "EQ", value: "false" }] }],
    sorts: ["-amount"],
    properties: ["dealname", "amount"],
    limit: 3,
    after: "0",
  });
  assert.equal(found.results[0].properties.dealname, "Everglade rollout");
  assert.ok(found.total > 3 && found.paging.next.after === "3");
});

test("associations with labels", async () => {
  const { v4 } = client.crm.associations;
  const linked = await v4.basicApi.getPage("contacts", "101", "companies");
  assert.ok(linked.results[0].associationTypes.some((type) => type.label === "Champion"));
  const labels = await v4.schema.definitionsApi.getAll("contacts", "companies");
  assert.ok(labels.results.some((type) => type.label === "Billing contact"));
  await v4.basicApi.createDefault("contacts", "110", "companies", "202");
  await v4.basicApi.archive("contacts", "110", "companies", "202");
});

test("what describes records", async () => {
  const properties = await client.crm.properties.coreApi.getAll("deals");
  assert.ok(properties.results.find((one) => one.name === "dealstage").externalOptions);
  const pipelines = await client.crm.pipelines.pipelinesApi.getAll("deals");
  assert.deepEqual(pipelines.results.map((one) => one.label), ["Sales", "Renewals"]);
  const schemas = await client.crm.schemas.coreApi.getAll();
  assert.equal(schemas.results[0].objectTypeId, "2-987");
  const owners = await client.crm.owners.ownersApi.getPage();
  assert.ok(owners.results.some((one) => one.email === "daniel@harbor.example"));
});

test("two companies become one", async () => {
  const merged = await client.crm.companies.basicApi.merge({ primaryObjectId: "204", objectIdToMerge: "209" });
  assert.notEqual(merged.id, "204");
});

test("dated paths go through the plain request", async () => {
  const answer = await client.apiRequest({ path: "/crm/objects/2026-09/contacts/101" });
  assert.equal((await answer.json()).id, "101");
});

test("refusals are the client's own errors", async () => {
  await assert.rejects(as("pat-na1-revoked").crm.contacts.basicApi.getPage(), (error) => error.code === 401);
  await assert.rejects(
    as("pat-na1-readonly").crm.contacts.basicApi.create({ properties: { email: "x@y.example" }, associations: [] }),
    (error) => error.code === 403 && error.body.category === "MISSING_SCOPES",
  );
  await assert.rejects(
    client.crm.contacts.basicApi.create({ properties: { email: "elena.petrova@northwind.example" }, associations: [] }),
    (error) => error.code === 409 && error.body.message.endsWith("Existing ID: 101"),
  );
});
