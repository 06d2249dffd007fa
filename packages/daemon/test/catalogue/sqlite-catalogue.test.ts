import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before } from "node:test";
import { silentLog } from "@backroom/core/base/log.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { openCatalogue } from "../../src/catalogue/open-catalogue.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";
import { catalogueSuite } from "./catalogue-suite.ts";

let folder: string;
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), "catalogue-"));
});
after(() => rmSync(folder, { recursive: true }));

let next = 0;
catalogueSuite(
  "in a file",
  (run) => {
    const { catalogue } = openCatalogue(path.join(folder, String(next++)), {
      clock: new ManualClock(),
      log: silentLog,
    });
    try {
      run(catalogue);
    } finally {
      catalogue.close();
    }
  },
  20,
);

catalogueSuite(
  "in memory",
  (run) => {
    const catalogue = memoryCatalogue(new ManualClock());
    try {
      run(catalogue);
    } finally {
      catalogue.close();
    }
  },
  200,
);
