import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { DoctorReport } from "@backroom/api/schemas/daemon.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { systemMachine } from "@backroom/core/node/machine.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { createDoctor } from "../../src/doctor/create-doctor.ts";
import type { NetworkNow, RelayNow } from "../../src/doctor/network-rows.ts";
import { openSettings } from "../../src/settings/open-settings.ts";
import { callContext } from "../support/call-context.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";

const NETWORK: NetworkNow = {
  network: { id: "0a0b0c0d", name: "Home", test: false, current: true, relaysKnown: 80 },
  state: "joined",
  guardCount: 3,
  privacy: { level: "fair", sentences: [] },
  circuitCount: 4,
  circuits: [],
  clockSkewMs: 0,
};
const RELAY: RelayNow = {
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
};

/** Would catch: a daemon's doctor that looks at something else than that daemon, and one that leaves a timer behind. */
test("a daemon's doctor asks the daemon's own parts, measures its transfers, and reads its catalogue", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "backroom-doctor-"));
  try {
    const folder = await openDataFolder(path.join(root, "data"));
    const settings = await openSettings({ folder, env: {}, configFile: path.join(root, "config.toml") });
    const clock = new ManualClock();
    const catalogue = memoryCatalogue(clock);
    let downloadedBytes = 0;
    let isDamaged = false;
    const doctor = createDoctor(
      {
        folder,
        settings,
        catalogue: Object.assign(catalogue, {
          check() {
            if (isDamaged) throw new BackroomError("E_CATALOGUE_DAMAGED", "the catalogue's file is damaged");
          },
        }),
        machine: { ...systemMachine, clock },
      },
      {
        version: "1.2.3",
        handlers: { network: async () => NETWORK, relay: async () => RELAY },
        totals: () => ({
          byState: {},
          downloadRate: 0,
          uploadRate: 0,
          downloadedBytes,
          uploadedBytes: 0,
          peerCount: 0,
        }),
        page: () => "http://127.0.0.1:7420/",
      },
    );
    downloadedBytes = 200e6;
    clock.advance(10_000);
    const look = async (): Promise<Map<string, DoctorReport["rows"][number]>> => {
      const report = await doctor.handlers.doctor({}, callContext());
      assert.deepEqual(DoctorReport.parse(report), report);
      return new Map(report.rows.map((row) => [row.check, row]));
    };
    const rows = await look();
    assert.equal(rows.get("link")?.found, "160 Mbit/s down at best, of own transfers");
    for (const check of ["daemon", "clock", "network", "guards", "reachability", "page port", "database"]) {
      assert.equal(rows.get(check)?.status, "ok", check);
    }
    isDamaged = true;
    assert.equal((await look()).get("database")?.status, "fail");
    await doctor.close();
    assert.equal(clock.timerCount, 0);
    assert.ok(Array.isArray(catalogue.value("link-rates")));
    catalogue.close();
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
