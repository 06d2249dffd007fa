import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { openApiDocument } from "../../src/openapi/document.ts";
import { API_PREFIX } from "../../src/places.ts";
import { ROUTES, type Route } from "../../src/routes.ts";
import { apiDocument } from "../support/api-document.ts";

const document = JSON.parse(JSON.stringify(openApiDocument("1.2.3"))) as Record<string, unknown>;

test("is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  assert.equal(valid, true, JSON.stringify(errors, null, 1));
  assert.equal(validator.version, "3.1");
});

test("has every operation, and leads to everything that it names", () => {
  const paths = document["paths"] as Record<string, Record<string, { operationId: string }>>;
  for (const [name, { method, path }] of Object.entries(ROUTES) as [string, Route][]) {
    assert.equal(paths[API_PREFIX + path]?.[method.toLowerCase()]?.operationId, name);
  }
  const text = JSON.stringify(document);
  const { schemas } = document["components"] as { schemas: object };
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    assert.ok(Object.hasOwn(schemas, name ?? ""), name);
  }
});

test("says that inputs are strict, and that answers may hold more", () => {
  const paths = document["paths"] as Record<string, Record<string, unknown>>;
  const add = JSON.stringify(paths[`${API_PREFIX}/gets`]);
  assert.match(add, /"additionalProperties":false/);
  assert.doesNotMatch(JSON.stringify(document["components"]), /"additionalProperties":false/);
});

test("docs/API.md says what the table says", () => {
  const file = new URL("../../../../docs/API.md", import.meta.url);
  assert.equal(readFileSync(file, "utf8"), apiDocument(), "npm run docs:api");
});
