import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { BackroomError } from "../../src/base/errors.ts";
import { SERVICE } from "../../src/circuit/stream.ts";
import { StrangerDials } from "../../src/directory/stranger-dials.ts";
import { createRelayInfoDecoder, decodeRelayInfo } from "../../src/directory/relay-info.ts";
import { createNetwork } from "../../src/directory/network.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { OwnInfo } from "../../src/node/own-info.ts";
import { relayServices } from "../../src/node/relay-services.ts";
import { seededRandom, tableWith } from "../directory/fixtures.ts";

const nobody = (): Promise<never> => Promise.reject(new BackroomError("E_UNREACHABLE", "nobody"));

/** Would catch: a relay whose person has not agreed to be a gate, and that registers seeders, hands out leases or says that it is one. */
test("without that consent a relay offers nothing of a gate, announces nothing, and its info says so", () => {
  const { table, clock } = tableWith();
  const network = createNetwork({ name: "n", test: false, relays: [], bootstrap: [] }, seededRandom(1));
  const onion = generateKeys("x25519");
  const keys = { node: generateKeys("ed25519"), onion, previousOnion: undefined, onionMadeMs: Date.now() };
  for (const gate of [false, true]) {
    const announced: Buffer[] = [];
    const services = relayServices({
      machine: { clock, random: seededRandom(1) },
      network,
      table,
      decodeInfo: createRelayInfoDecoder(),
      nodeKey: keys.node.publicBytes,
      dialer: { dial: nobody },
      askRelay: nobody,
      dht: {
        port: 1,
        announce: (hash) => void announced.push(hash),
        withdraw() {},
        lookup: nobody,
        addNodes() {},
        close: () => Promise.resolve(),
      },
      gate,
      takeGuest: () => false,
      dials: new StrangerDials({ clock, network }),
    });
    const offered = Object.keys(services.handlers).map(Number);
    const ofGates = [SERVICE.register, SERVICE.leases, SERVICE.connect].filter((one) =>
      offered.includes(one),
    );
    assert.equal(ofGates.length, gate ? 3 : 0);
    assert.ok(offered.includes(SERVICE.directory) && offered.includes(SERVICE.scout));
    assert.deepEqual(announced, []);
    services.close();

    const own = new OwnInfo(keys, {
      clock: systemClock,
      networkId: network.id,
      gate,
      save: () => Promise.resolve(),
    });
    own.where = { kind: "reachable", endpoints: [{ host: "9.9.9.9", port: 4430 }] };
    assert.equal(decodeRelayInfo(own.bytes() ?? Buffer.alloc(0)).gate, gate);
  }
});
