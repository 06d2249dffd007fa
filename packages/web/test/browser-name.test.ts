import assert from "node:assert/strict";
import { test } from "node:test";
import { browserName } from "../src/state/browser-name.ts";

/** Would catch: a browser that is listed by the name of another one, which its own contains. */
test("each browser is called by its own name", () => {
  const webkit = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)";
  const names = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox",
    [`${webkit} Chrome/140.0.0.0 Safari/537.36`]: "Chrome",
    [`${webkit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0`]: "Edge",
    [`${webkit} Chrome/140.0.0.0 Safari/537.36 OPR/120.0.0.0`]: "Opera",
    "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15": "Safari",
    "Lynx/2.9": "browser",
  };
  for (const [sent, name] of Object.entries(names)) assert.equal(browserName(sent), name);
});
