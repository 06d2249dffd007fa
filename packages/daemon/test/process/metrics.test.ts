import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "@backroom/api/routes.ts";
import { metricsText } from "../../src/http/metrics-text.ts";
import { collectMetrics } from "../../src/process/metrics.ts";
import { callContext } from "../support/call-context.ts";

const NETWORK_NAME = "people-of-the-harbour";
const network: Answer<"network"> = {
  network: { id: "0badcafe", name: NETWORK_NAME, test: false, current: true, relaysKnown: 41 },
  state: "joined",
  guardCount: 3,
  privacy: null,
  circuits: [{ purpose: "seeder", hops: [{ role: "guard", key: "k3yk3yk3" }], ageMs: 5 }],
  circuitCount: 12,
  clockSkewMs: null,
};
const relay: Answer<"relay"> = {
  mode: "on",
  gate: true,
  state: "running",
  reachable: null,
  hostCount: 2,
  circuitCount: 77,
  guestCount: 4,
  carriedBytes: 123_456_789,
  port: 9001,
  sinceMs: 1,
  failure: null,
};

async function text(): Promise<string> {
  const metrics = await collectMetrics(
    {
      version: "1.2.3",
      startedMs: 1_700_000_000_000,
      handlers: { network: async () => network, relay: async () => relay },
      totals: () => ({
        byState: { seeding: 9, failed: 1 },
        downloadRate: 1,
        uploadRate: 2,
        downloadedBytes: 1_000,
        uploadedBytes: 2_000,
        peerCount: 6,
      }),
    },
    callContext(),
  );
  return metricsText(metrics);
}

/** Would catch: a number under the wrong name, a state that vanishes from the graphs when nothing is in it. */
test("metrics are what the parts say", async () => {
  const lines = (await text()).split("\n");
  for (const line of [
    'backroom_transfers{state="seeding"} 9',
    'backroom_transfers{state="paused"} 0',
    "backroom_downloaded_bytes_total 1000",
    "backroom_uploaded_bytes_total 2000",
    "backroom_peers 6",
    "backroom_relays_known 41",
    "backroom_guards 3",
    "backroom_circuits 12",
    "backroom_relay_running 1",
    "backroom_relay_reachable 0",
    "backroom_relay_circuits 77",
    "backroom_relay_guests 4",
    "backroom_relay_carried_bytes_total 123456789",
    "process_start_time_seconds 1700000000",
    'backroom_info{version="1.2.3"} 1',
  ]) {
    assert.ok(lines.includes(line), line);
  }
});

/** Would catch: a label by which whoever reads the graphs tells one network, relay or circuit from another. */
test("metrics name nobody: their labels are states and the version", async () => {
  const all = await text();
  for (const secret of [NETWORK_NAME, "0badcafe", "k3yk3yk3", "9001"])
    assert.ok(!all.includes(secret), secret);
  const labels = [...all.matchAll(/\{(\w+)=/g)].map(([, label = ""]) => label);
  assert.deepEqual(new Set(labels), new Set(["state", "version"]));
});

/** Would catch: what Prometheus does not take: a metric told twice, or a name it does not know the form of. */
test("each metric is told once, in the form of its kind", async () => {
  const all = await text();
  const told = [...all.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => ({
    name,
    type,
  }));
  assert.equal(new Set(told.map(({ name }) => name)).size, told.length);
  for (const { name, type } of told) {
    assert.match(name, /^[a-z_]+$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
  }
});
