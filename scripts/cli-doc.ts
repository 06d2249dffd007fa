/**
 * Makes the reference in docs/CLI.md and the man pages in docs/man from the commands themselves. `npm run docs:cli` writes them; a test holds them equal.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { addAllCommands, createProgram } from "../packages/cli/src/command-line.ts";
import { cliDocument } from "../packages/cli/test/support/cli-document.ts";
import { manPages } from "../packages/cli/test/support/man-pages.ts";

const reference = new URL("../docs/CLI.md", import.meta.url);
const man = new URL("../docs/man/", import.meta.url);

const program = createProgram(process.stdout);
await addAllCommands(program, () => {});
writeFileSync(reference, cliDocument(readFileSync(reference, "utf8"), program));
rmSync(man, { recursive: true, force: true });
mkdirSync(man);
for (const [file, text] of manPages(program)) writeFileSync(new URL(file, man), text);
