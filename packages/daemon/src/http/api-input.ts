import type { Route } from "@backroom/api/routes.ts";
import type { Problem } from "@backroom/api/schemas/daemon.ts";
import type { z } from "zod";
import { InputError } from "./problem.ts";

type Issues = NonNullable<Problem["issues"]>;
const MOST_ISSUES = 20;

/** The parts of an operation's input, each as strict as can be: what is not known is refused, not left out. */
export interface InputSchemas {
  readonly params: z.ZodObject | undefined;
  readonly query: z.ZodObject | undefined;
  readonly body: z.ZodObject | undefined;
}

export function inputSchemas(route: Route): InputSchemas {
  return {
    params: route.params?.strict(),
    query: route.query?.strict(),
    body: route.body === "stream" ? undefined : route.body?.strict(),
  };
}

/** One part of the input, validated, defaults filled in. Raises E_REQUEST, which names where the input is wrong and repeats none of it. */
export function validated(schema: z.ZodObject | undefined, given: unknown): Record<string, unknown> {
  if (schema === undefined) {
    if (typeof given === "object" && given !== null && Object.keys(given).length === 0) return {};
    throw new InputError("the operation takes no such input", []);
  }
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw new InputError("the input does not fit", result.error.issues.slice(0, MOST_ISSUES).map(issueOf));
}

/** The query as an object of texts. Raises E_REQUEST where a name comes twice. */
export function queryOf(url: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of new URL(url).searchParams) {
    if (Object.hasOwn(query, name)) throw new InputError("a name stands twice in the query", []);
    // Not by assignment, which would mean something else for `__proto__`.
    Object.defineProperty(query, name, { value, enumerable: true });
  }
  return query;
}

function issueOf(issue: z.core.$ZodIssue): Issues[number] {
  const path = issue.path.map(showable).join(".");
  if (issue.code !== "unrecognized_keys") return { path: path || "input", message: issue.message };
  const keys = issue.keys.slice(0, 3).map(showable).join(", ");
  return { path: path || "input", message: `unknown: ${keys}` };
}

/** A name as our own are; what looks otherwise may be a secret that went astray. */
function showable(key: PropertyKey): string {
  const text = String(key);
  return /^[A-Za-z0-9-]{1,40}$/.test(text) ? text : "a name that is not repeated here";
}
