import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { DoctorReport } from "@backroom/api/schemas/daemon.ts";
import { systemClock } from "@backroom/core/base/clock.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { createNetwork } from "@backroom/core/node/networks.ts";
import { openCatalogue } from "../../src/catalogue/open-catalogue.ts";
import { examineAlone } from "../../src/doctor/examine-alone.ts";
import { examine, type Examined } from "../../src/doctor/examine.ts";
import { row } from "../../src/doctor/rows.ts";
import { openSettings } from "../../src/settings/open-settings.ts";
import { transferOf } from "../support/transfer-record.ts";
import { fakeMachine, GiB } from "./fake-machine.ts";

/** What programs that read `doctor --json` know the checks by. */
const CHECKS = [
  "memory",
  "cores",
  "free disk",
  "link",
  "daemon",
  "clock",
  "network",
  "guards",
  "reachability",
  "relay port",
  "page port",
  "proxy",
  "dht",
  "data folder",
  "permissions",
  "database",
  "settings",
  "version",
];

async function withRoot(work: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(path.join(tmpdir(), "backroom-doctor-"));
  try {
    await work(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

const alone = (root: string, more: Partial<Parameters<typeof examineAlone>[0]> = {}) =>
  examineAlone({
    version: "1.2.3",
    dataFolder: path.join(root, "data"),
    env: {},
    configFile: path.join(root, "config.toml"),
    flags: { "page.port": 0 },
    ...more,
  });

test("without a daemon everything is looked at, and what only a daemon sees is told as unknown", async () => {
  await withRoot(async (root) => {
    await createNetwork({ dataFolder: path.join(root, "data"), name: "Home" });
    const report = await alone(root);
    assert.deepEqual(DoctorReport.parse(report), report);
    assert.deepEqual(
      report.rows.map(({ check }) => check),
      CHECKS,
    );
    const statusOf = (check: string): string | undefined =>
      report.rows.find((one) => one.check === check)?.status;
    for (const check of ["clock", "network", "guards", "reachability"])
      assert.equal(statusOf(check), "unknown", check);
    for (const check of ["data folder", "permissions", "database", "settings", "proxy", "version"]) {
      assert.equal(statusOf(check), "ok", check);
    }
    // Made without a relay, so nobody is named.
    assert.equal(statusOf("dht"), "warn");
  });
});

test("a data folder that cannot be opened, and settings that cannot be read, are findings beside those of the computer", async () => {
  await withRoot(async (root) => {
    await writeFile(path.join(root, "data"), "no folder");
    const checks = ["memory", "cores", "free disk", "link"];
    const broken = await alone(root);
    assert.deepEqual(
      broken.rows.map(({ check }) => check),
      [...checks, "data folder"],
    );
    assert.equal(broken.status, "fail");
    await rm(path.join(root, "data"));
    await writeFile(path.join(root, "config.toml"), "what is this");
    const unread = await alone(root);
    assert.deepEqual(
      unread.rows.map(({ check }) => check),
      [...checks, "settings"],
    );
    assert.match(unread.rows.at(-1)?.found ?? "", /line 1/);
  });
});

test("a line in the settings file that does not fit is a finding, not the end", async () => {
  await withRoot(async (root) => {
    await writeFile(path.join(root, "config.toml"), "[downloads]\nactive = 0\nfoldr = 1\n");
    const settings = (await alone(root)).rows.find(({ check }) => check === "settings");
    assert.equal(settings?.status, "warn");
    assert.match(settings?.found ?? "", /line 2: downloads\.active .*; line 3: .*downloads\.folder/);
  });
});

/** Would catch: a check that repairs, replaces or holds the catalogue, and one that overlooks damage. */
test("a catalogue that no daemon has open is read and left as it is", async () => {
  await withRoot(async (root) => {
    const folder = path.join(root, "data");
    await mkdir(folder, { mode: 0o700 });
    const { catalogue } = openCatalogue(folder, { clock: systemClock, log: silentLog });
    for (let index = 0; index < 50; index++) catalogue.put(transferOf(index));
    const database = async (): Promise<unknown> =>
      (await alone(root)).rows.find(({ check }) => check === "database")?.status;
    assert.equal(await database(), "unknown", "held by somebody");
    catalogue.close();
    assert.equal(await database(), "ok");
    await writeFile(path.join(folder, "catalogue", "catalogue.db"), Buffer.alloc(8192, "x"));
    assert.equal(await database(), "fail");
  });
});

test("a daemon tells what it knows, and one part of it that fails costs its own rows alone", async () => {
  await withRoot(async (root) => {
    const folder = await openDataFolder(path.join(root, "data"));
    const examined: Examined = {
      folder,
      settings: await openSettings({ folder, env: {}, configFile: path.join(root, "config.toml") }),
      facts: fakeMachine({ totalBytes: 8 * GiB }),
      platform: process.platform,
      version: "1.2.3",
      nodeVersion: "24.0.0",
      tryPort: async () => undefined,
      knock: async () => true,
      databaseRow: () => row("database", "ok", "whole"),
      live: {
        network: async () => Promise.reject(new Error("no network today")),
        relay: async () => ({
          mode: "off",
          gate: false,
          state: "off",
          reachable: null,
          hostCount: 0,
          circuitCount: 0,
          guestCount: 0,
          carriedBytes: 0,
          port: null,
          sinceMs: null,
          failure: null,
        }),
        page: () => "http://127.0.0.1:7420/",
        link: () => ({ download: 1e8, upload: 1e7 }),
      },
    };
    const { rows, status } = await examine(examined);
    assert.deepEqual(
      rows.map(({ check }) => check),
      CHECKS,
    );
    const bad = rows.filter((one) => one.status !== "ok").map(({ check }) => check);
    assert.deepEqual(bad, ["clock", "network", "guards", "dht"]);
    assert.equal(status, "ok");
  });
});
