import { z } from "zod";
import { API_PREFIX, EVENTS_PATH } from "../places.ts";
import { ROUTES, type Route } from "../routes.ts";
import * as common from "../schemas/common.ts";
import * as daemon from "../schemas/daemon.ts";
import { EVENTS } from "../schemas/event.ts";
import * as link from "../schemas/link.ts";
import * as network from "../schemas/network.ts";
import * as transfer from "../schemas/transfer.ts";

type Json = Readonly<Record<string, unknown>>;

const REF = "#/components/schemas/";
const PROBLEM = {
  description: "It was refused, or failed",
  content: { "application/problem+json": { schema: { $ref: `${REF}Problem` } } },
};

/** The API as OpenAPI 3.1 has it, made from the table of operations and their schemas. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, route] of Object.entries(ROUTES)) {
    (paths[API_PREFIX + route.path] ??= {})[route.method.toLowerCase()] = operationOf(name, route);
  }
  for (const [path, operation] of Object.entries(OTHERS)) paths[path] = { get: operation };
  return {
    openapi: "3.1.0",
    info: {
      title: "Backroom",
      version,
      summary: "The daemon of one member, for the programs and the page of its own user",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "Over TCP. The socket in the data folder needs none.",
        },
      },
      schemas: namedSchemas(),
    },
  };
}

/** Every schema that has a name, as it is answered. */
export function namedSchemas(): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of namedTypes()) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: "output", uri: (id) => REF + id });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, opened(schema) as Json]));
}

function namedTypes(): [string, z.ZodType][] {
  const found: [string, z.ZodType][] = [];
  for (const module of [common, daemon, link, network, transfer]) {
    for (const [name, value] of Object.entries(module)) {
      // Inputs are written where they are used, as strict as they are there.
      if (value instanceof z.ZodType && !isInput(value)) found.push([name, value]);
    }
  }
  for (const [name, schema] of Object.entries(EVENTS)) {
    if (!found.some(([, known]) => known === schema)) found.push([`Event_${name}`, schema]);
  }
  return found;
}

function isInput(schema: z.ZodType): boolean {
  return (Object.values(ROUTES) as Route[]).some(
    ({ body, query, params }) =>
      (schema === body || schema === query || schema === params) && schema !== common.Empty,
  );
}

function operationOf(name: string, route: Route): Json {
  return {
    operationId: name,
    summary: route.summary,
    ...(route.scope === null ? { security: [] } : { "x-scope": route.scope }),
    parameters: [...parametersOf(route.params, "path"), ...parametersOf(route.query, "query")],
    ...(route.body === undefined ? {} : { requestBody: bodyOf(route.body) }),
    responses: {
      200: { description: "Done", content: { "application/json": { schema: answerOf(route.answer) } } },
      default: PROBLEM,
    },
  };
}

/** What a schema is called, if it is. */
export function nameOf(schema: z.ZodType): string | undefined {
  return namedTypes().find(([, known]) => known === schema)?.[0];
}

function answerOf(schema: z.ZodObject): Json {
  const name = nameOf(schema);
  return name === undefined
    ? (opened(z.toJSONSchema(schema, { io: "output" })) as Json)
    : { $ref: REF + name };
}

function bodyOf(body: z.ZodObject | "stream"): Json {
  if (body === "stream") {
    return { required: true, content: { "application/octet-stream": { schema: {} } } };
  }
  return { required: true, content: { "application/json": { schema: inputSchema(body) } } };
}

/** What may be sent: unknown names are refused. */
export function inputSchema(schema: z.ZodObject): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema.strict(), { io: "input" });
  return rest;
}

function parametersOf(schema: z.ZodObject | undefined, place: "path" | "query"): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).map(([name, shape]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: shape,
  }));
}

/** Newer daemons may answer with more than is known here, so nothing says that there is no more. */
function opened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(opened);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, inner]) =>
      !(key === "additionalProperties" && inner === false) && key !== "$schema" && key !== "$id",
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, opened(inner)]));
}

const text = (description: string, type: string): Json => ({
  200: { description, content: { [type]: { schema: { type: "string" } } } },
  default: PROBLEM,
});

/** What is served besides operations. */
const OTHERS: Readonly<Record<string, Json>> = {
  [EVENTS_PATH]: {
    operationId: "events",
    summary: "What happens, as server-sent events, from the one after Last-Event-ID on",
    "x-scope": "read",
    parameters: [{ name: "Last-Event-ID", in: "header", required: false, schema: { type: "string" } }],
    responses: text("Events without end", "text/event-stream"),
  },
  "/metrics": {
    operationId: "metrics",
    summary: "Totals for Prometheus",
    "x-scope": "read",
    responses: text("Metrics in the text format", "text/plain"),
  },
  "/openapi.json": {
    operationId: "openApi",
    summary: "This document",
    security: [],
    responses: { 200: { description: "OpenAPI 3.1", content: { "application/json": { schema: {} } } } },
  },
  "/healthz": {
    operationId: "health",
    summary: "Whether the daemon answers",
    security: [],
    responses: {
      200: { description: "It does", content: { "application/json": { schema: { $ref: `${REF}Health` } } } },
    },
  },
};
