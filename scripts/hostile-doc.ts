/**
 * Prints docs/HOSTILE_RELAYS.md from the scenarios that the tests play. `npm run docs:hostile` writes the file; a test holds it equal.
 */
import { writeFileSync } from "node:fs";
import { hostileDocument } from "../packages/core/test/support/hostile-document.ts";

writeFileSync(new URL("../docs/HOSTILE_RELAYS.md", import.meta.url), hostileDocument());
