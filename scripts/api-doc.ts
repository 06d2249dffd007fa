/**
 * Prints docs/API.md from the one table of operations. `npm run docs:api` writes the file; a test holds it equal.
 */
import { writeFileSync } from "node:fs";
import { apiDocument } from "../packages/api/test/support/api-document.ts";

writeFileSync(new URL("../docs/API.md", import.meta.url), apiDocument());
