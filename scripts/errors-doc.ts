/**
 * Prints docs/ERRORS.md from the one table of codes. `npm run docs:errors` writes the file; a test holds it equal.
 */
import { writeFileSync } from "node:fs";
import { errorsDocument } from "../packages/core/test/support/errors-document.ts";

writeFileSync(new URL("../docs/ERRORS.md", import.meta.url), errorsDocument());
