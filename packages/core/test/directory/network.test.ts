import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { isBackroomError } from "../../src/base/errors.ts";
import { formatInvite, parseInvite } from "../../src/link/invite.ts";
import {
  createNetwork,
  formatNetworkFile,
  inviteTo,
  networkOfInvite,
  parseNetworkFile,
} from "../../src/directory/network.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { localEndpoint, seededRandom } from "./fixtures.ts";

const relay = { nodeKey: Buffer.alloc(32, 3), ...localEndpoint(9001) };
const network = createNetwork(
  { name: "Büro", test: true, relays: [relay], bootstrap: [localEndpoint(6881)] },
  seededRandom(1),
);
const empty = createNetwork({ name: "x", test: false, relays: [], bootstrap: [] }, seededRandom(2));

decoderSuite({
  name: "network file",
  decode: (bytes) => parseNetworkFile(bytes.toString("utf8")),
  encode: (network) => Buffer.from(formatNetworkFile(network)),
  samples: [Buffer.from(formatNetworkFile(network)), Buffer.from(formatNetworkFile(empty))],
  // Without the line feed at its end it is the same JSON.
  validPrefix: (length, sample) => length === sample.length - 1,
});

test("a network file says what was put in", () => {
  assert.deepEqual(parseNetworkFile(formatNetworkFile(network)), network);
  assert.notEqual(network.id, empty.id);
});

test("each thing that can be wrong is named, and no value of the file is repeated", () => {
  const good = JSON.parse(formatNetworkFile(network)) as Record<string, unknown>;
  const key = "ga".repeat(26);
  const wrong: [string, Record<string, unknown>][] = [
    ["backroom", { backroom: "share" }],
    ["version", { version: 2 }],
    ["name", { name: "" }],
    ["name", { name: "a\u0000b" }],
    ["name", { name: "x".repeat(65) }],
    ["id", { id: 0 }],
    ["id", { id: 2 ** 32 }],
    ["id", { id: "7" }],
    ["test", { test: 1 }],
    ["relays", { relays: {} }],
    ["relays", { relays: [7] }],
    ["key", { relays: [{ key: "short", host: "1.2.3.4", port: 1 }] }],
    ["host", { relays: [{ key, host: "relay.example", port: 1 }] }],
    ["port", { relays: [{ key, host: "1.2.3.4", port: 0 }] }],
    ["dht", { dht: Array.from({ length: 33 }, () => ({ host: "1.2.3.4", port: 1 })) }],
    ["host", { dht: [{ host: "router.example", port: 1 }] }],
    ["field", { comment: "hello" }],
  ];
  for (const [what, change] of wrong) {
    assert.throws(
      () => parseNetworkFile(JSON.stringify({ ...good, ...change })),
      (error) =>
        isBackroomError(error, "E_NETWORK_FILE") &&
        error.message.includes(what) &&
        !error.message.includes("example"),
      what,
    );
  }
  for (const field of Object.keys(good)) {
    const { [field]: _, ...rest } = good;
    assert.throws(() => parseNetworkFile(JSON.stringify(rest)), { code: "E_NETWORK_FILE" }, field);
  }
  assert.throws(() => parseNetworkFile(" ".repeat(70_000)), { code: "E_NETWORK_FILE" });
  for (const text of ["", "null", "[]", "7", "{"]) {
    assert.throws(() => parseNetworkFile(text), { code: "E_NETWORK_FILE" }, text);
  }
});

test("a small network goes into an invite and comes out as it was", () => {
  const invite = parseInvite(formatInvite(inviteTo(network, network.relays, seededRandom(3))));
  assert.deepEqual(networkOfInvite(invite), network);
});

test("an invite takes only as many relays as it has room for, not always the same", () => {
  const relays = Array.from({ length: 30 }, (_, n) => ({ ...relay, port: n + 1 }));
  const ports = (seed: number) =>
    inviteTo(network, relays, seededRandom(seed)).relays.map(({ port }) => port);
  assert.equal(ports(1).length, 8);
  assert.notDeepEqual(ports(1), ports(2));
});

test("a network file is bounded, whole and in its lists", () => {
  const file = (count: number) => {
    const relays = Array.from({ length: count }, (_, n) => ({
      ...relay,
      nodeKey: Buffer.alloc(32, n),
      port: n + 1,
    }));
    return formatNetworkFile({ ...network, relays });
  };
  assert.equal(parseNetworkFile(file(LIMITS.networkFileRelays)).relays.length, LIMITS.networkFileRelays);
  assert.throws(() => parseNetworkFile(file(LIMITS.networkFileRelays + 1)), { code: "E_NETWORK_FILE" });
  const text = formatNetworkFile(network);
  const filled = (length: number) => text + " ".repeat(length - text.length);
  assert.deepEqual(parseNetworkFile(filled(LIMITS.networkFileBytes)), network);
  assert.throws(() => parseNetworkFile(filled(LIMITS.networkFileBytes + 1)), { code: "E_NETWORK_FILE" });
});
