import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import type { Row } from "./row.ts";

const PROGRAM = path.join(import.meta.dirname, "../../packages/web/bench/page.ts");

/** The page in a browser: see there. Apart, since what runs in a browser is compiled against a browser's types. */
export async function benchPage(): Promise<Row[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}
