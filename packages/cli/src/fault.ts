import path from "node:path";
import { fileURLToPath } from "node:url";
import { systemCode } from "@backroom/core/base/system-code.ts";

/** What holds the program's files, its dependencies aside: where it lies may hold a person's name. */
const ROOT = path.join(import.meta.dirname, "../..");

/**
 * Where the program met a fault, for a report that people pass on: the kind of error and the places in the source. Never the error's message,
 * in which Node and libraries name addresses and files.
 */
export function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return `a value of type ${typeof error} was thrown`;
  const places = (error.stack ?? "").split("\n").flatMap((line) => place(line) ?? []);
  return [[error.name, systemCode(error) ?? ""].join(" ").trim(), ...places].join("\n  at ");
}

/** `name (file:line:column)` of a line of a stack, the file as seen from the program's own folder. */
function place(line: string): string | undefined {
  const [, name = "", where = "", position = ""] =
    /^ {4}at (?:([\w .<>#[\]]+) \()?((?:node:|file:|\/|[A-Z]:\\)[^()]*?):(\d+:\d+)\)?$/.exec(line) ?? [];
  if (where === "") return undefined;
  return `${name === "" ? "" : `${name} `}(${fileName(where)}:${position})`;
}

function fileName(where: string): string {
  if (where.startsWith("node:")) return where;
  const file = path.relative(ROOT, where.startsWith("file:") ? fileURLToPath(where) : where);
  return file.startsWith("..") || path.isAbsolute(file) ? "elsewhere" : file;
}
