import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError } from "../../src/base/errors.ts";
import { serveMessages } from "../../src/circuit/messages.ts";
import { SERVICE } from "../../src/circuit/stream.ts";
import { createRelayInfoDecoder, type RelayInfo } from "../../src/directory/relay-info.ts";
import { Scouting } from "../../src/node/scouting.ts";
import { seededRandom, signedInfo } from "../directory/fixtures.ts";
import { DOWNLOADERS_GUARDS, HostileWorld } from "../support/hostile-world.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { memoryCircuit } from "../tunnel/memory-circuit.ts";

const DAY_S = 86_400;
const PUBLIC = { endpoints: [{ host: "9.9.9.9", port: 9001 }], gate: true };

/** Would catch: a member that is led to a place inside somebody's network, into another network, or to a relay of yesterday, by whoever signs an info for it. */
test("a member uses no relay info of another network or day, at a private address, or of a guest", async () => {
  const world = new HostileWorld({ hostile: {} });
  try {
    const member = await world.member("member", DOWNLOADERS_GUARDS);
    const timeS = Math.floor(world.clock.nowMs() / 1000);
    const vet = (more: Parameters<typeof signedInfo>[0]): RelayInfo =>
      member.vet(signedInfo({ networkId: 7, timeS, ...PUBLIC, ...more }).bytes);
    assert.equal(vet({}).gate, true);
    const [place] = PUBLIC.endpoints;
    for (const more of [
      { networkId: 8 },
      { timeS: timeS - 2 * DAY_S },
      { timeS: timeS + DAY_S },
      { endpoints: [{ host: "192.168.1.1", port: 22 }] },
      { endpoints: [place ?? PUBLIC.endpoints[0], { host: "::1", port: 9001 }] },
      { endpoints: [], hosts: ["0011223344556677"], gate: false, scout: false },
    ] as Parameters<typeof signedInfo>[0][]) {
      assert.throws(() => vet(more), { code: "E_RELAY_INFO" }, JSON.stringify(more));
    }
  } finally {
    await world.close();
  }
});

/** Would catch: a scout that names whom it likes, and a downloader that goes there. */
test("of what scouts answer a member takes what it may use, and of that only gates", async () => {
  const [good, unfit, plain] = [PUBLIC, PUBLIC, { ...PUBLIC, gate: false }].map((more) =>
    signedInfo(more),
  ) as [RelayInfo, RelayInfo, RelayInfo];
  const answer = { r: [good, unfit, plain].map(({ bytes }) => bytes) };
  const client = {
    machine: { clock: new ManualClock(), random: seededRandom(1) },
    decodeInfo: createRelayInfoDecoder(),
    vet: (bytes: Uint8Array) => {
      if (unfit.bytes.equals(bytes)) throw new BackroomError("E_RELAY_INFO", "not to be used");
    },
    open: () => {
      const circuit = memoryCircuit({ [SERVICE.scout]: (stream) => serveMessages(stream, () => answer) });
      return Promise.resolve({ circuit, path: [{ key: "scout" }] });
    },
  };
  const scouting = new Scouting(client as unknown as ConstructorParameters<typeof Scouting>[0]);
  assert.deepEqual(
    (await scouting.ask(Buffer.alloc(20, 1))).map(({ key }) => key),
    [good.key],
  );
});
