import { API_PREFIX, EVENTS_PATH } from "../../src/places.ts";
import { z } from "zod";
import { inputSchema, nameOf, namedSchemas } from "../../src/openapi/document.ts";
import { ROUTES, type Route } from "../../src/routes.ts";
import * as common from "../../src/schemas/common.ts";
import * as daemon from "../../src/schemas/daemon.ts";
import * as link from "../../src/schemas/link.ts";
import * as network from "../../src/schemas/network.ts";
import * as transfer from "../../src/schemas/transfer.ts";
import { schemaComments } from "./schema-comments.ts";

type Shape = Readonly<Record<string, unknown>>;

const COMMENTS = schemaComments();

/** The text of docs/API.md, made from the table of operations so that it cannot drift. */
export function apiDocument(): string {
  return [
    HEAD,
    "## Operations",
    "",
    ...Object.entries(ROUTES).flatMap(([name, route]) => operationLines(name, route)),
    "## Answers",
    "",
    "Programs should take it when more is answered than stands here.",
    "",
    ...Object.entries(namedSchemas()).flatMap(([name, shape]) => typeLines(name, shape)),
  ].join("\n");
}

function operationLines(name: string, route: Route): string[] {
  const scope = route.scope === null ? "no token" : `scope \`${route.scope}\``;
  const answer = nameOf(route.answer);
  const inputs = [route.params, route.query, route.body === "stream" ? undefined : route.body].flatMap(
    (part) => (part === undefined ? [] : fieldLines(inputSchema(part), sourceNameOf(part))),
  );
  return [
    `### ${name}`,
    "",
    `\`${route.method} ${API_PREFIX}${route.path}\` · ${scope}. ${route.summary}.`,
    "",
    ...inputs,
    ...(route.body === "stream" ? ["- the body: bytes, as `application/octet-stream`"] : []),
    ...(inputs.length > 0 || route.body === "stream" ? [""] : []),
    ...(answer === undefined
      ? ["Answers with:", "", ...fieldLines(z.toJSONSchema(route.answer), "")]
      : [`Answers [${answer}](#${answer.toLowerCase()}).`]),
    "",
  ];
}

function typeLines(name: string, shape: Shape): string[] {
  const comment = COMMENTS.get(name);
  return [
    `### ${name}`,
    "",
    ...(comment === undefined ? [] : [comment, ""]),
    ...(shape["type"] === "object" ? fieldLines(shape, name) : [`- ${typeOf(shape)}`]),
    "",
  ];
}

/** The name under which the sources have a schema that is sent. */
function sourceNameOf(schema: z.ZodType): string {
  const all = [common, daemon, link, network, transfer].flatMap((module) => Object.entries<unknown>(module));
  return all.find(([, one]) => one === schema)?.[0] ?? "";
}

/** One for each field, with what the sources say of it under `name`. */
function fieldLines(shape: Shape, name: string): string[] {
  const required = (shape["required"] ?? []) as string[];
  return Object.entries((shape["properties"] ?? {}) as Record<string, Shape>).map(([key, field]) => {
    const optional = required.includes(key) ? "" : ", may be left out";
    const preset = "default" in field ? `, ${JSON.stringify(field["default"])} by default` : "";
    const described = typeof field["description"] === "string" ? ` (${field["description"]})` : "";
    const comment = COMMENTS.get(`${name}.${key}`)?.replaceAll(/\s+/g, " ");
    const said = comment === undefined ? "" : `. ${comment}`;
    return `- \`${key}\`: ${typeOf(field)}${described}${preset === "" ? optional : preset}${said}`;
  });
}

function typeOf(shape: Shape): string {
  const ref = shape["$ref"];
  if (typeof ref === "string") {
    const name = ref.slice(ref.lastIndexOf("/") + 1);
    return `[${name}](#${name.toLowerCase()})`;
  }
  const options = (shape["anyOf"] ?? shape["oneOf"]) as Shape[] | undefined;
  if (options !== undefined) return options.map(typeOf).join(" or ");
  if (shape["enum"] !== undefined)
    return (shape["enum"] as unknown[]).map((one) => `\`${String(one)}\``).join(", ");
  if (shape["type"] === "array") return `list of ${typeOf(shape["items"] as Shape)}`;
  if (shape["type"] === "object") {
    const fields = fieldLines(shape, "").map((line) => line.slice(2));
    return fields.length === 0 ? "object" : `object with ${fields.join("; ")}`;
  }
  const types = [shape["type"]].flat();
  return types.every((type) => typeof type === "string") ? types.join(" or ") : "anything";
}

const HEAD = `# The API of the daemon

Made by \`npm run docs:api\` from \`packages/api/src/routes.ts\` and what \`packages/api/src/schemas\` says of each field; the daemon serves the same as OpenAPI 3.1 at \`/openapi.json\`. How it is guarded, and against whom: [THREAT_MODEL.md](THREAT_MODEL.md).

## Asking

The command line asks over a socket in the data folder (\`daemon.sock\`; on Windows a pipe, whose name and secret stand in \`daemon.pipe\`), which needs no token:

\`\`\`
curl --unix-socket ~/.local/share/backroom/daemon.sock http://localhost${API_PREFIX}/status
\`\`\`

Everybody else asks at the page's address with a token, which \`backroom token add\` makes, in the header: \`Authorization: Bearer backroom-token-…\`. A token has scopes: \`read\` looks, links
aside; \`links\` sees links; \`write\` changes transfers and watched folders, and puts files below \`downloads.folder\` alone; \`admin\` may do everything. The address has to be exactly the page's, the port included. There is no other way to
show a token, no cookie, and nothing for scripts of other sites.

Bodies are JSON, and \`Content-Type\` is exactly \`application/json\`; what an operation does not know is refused. Answers are JSON. Errors are problems (RFC 9457, \`application/problem+json\`) with the
codes of [ERRORS.md](ERRORS.md): \`title\` says what happened, \`detail\` why, \`fix\` what to try, \`issues\` where the input is wrong.

## Events

\`GET ${EVENTS_PATH}\` (scope \`read\`) answers with server-sent events for as long as one listens: \`transfers\`, \`status\`, \`network\`, \`relay\`, \`notes\`, \`notice\`, at most four times a second of each; what they hold is below, under \`Event_…\` or the type of that name.
They say how things are, not how they changed. Each has an id; who comes back with it as \`Last-Event-ID\` gets what was missed. \`reset\` comes first where that is not known any more, and to everybody who is new: ask for the
state then. A comment every 15 seconds shows that the daemon is there. Who does not read is cut off.

## Files

\`beginUpload\`, then \`uploadFile\` for each file with its bytes, then \`shareUpload\`: a share without a path. What is not shared within an hour is thrown away.

\`contentUrl\` gives an address of one file of a share, on a port that serves nothing else. It is good for six hours and for one run of the daemon, takes \`Range\`, and needs, and takes, no token. While the share arrives, what is asked for comes first.

## Also served

\`GET /healthz\` says \`{"ok":true}\` to everybody who passes the door, on both ports. \`GET /metrics\` (scope \`read\`) gives totals in the text format of Prometheus. \`GET /openapi.json\` needs no token.
`;
