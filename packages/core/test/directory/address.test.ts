import assert from "node:assert/strict";
import { BlockList } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { ipText } from "../../src/base/ip-address.ts";
import {
  addressKind,
  decodeAddress,
  encodeAddress,
  mayDial,
  subnetKey,
} from "../../src/directory/address.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { NETWORK, TEST_NETWORK } from "./fixtures.ts";

decoderSuite({
  name: "relay address",
  decode: decodeAddress,
  encode: encodeAddress,
  samples: [
    encodeAddress({ host: "8.8.4.4", port: 443 }),
    encodeAddress({ host: "2a00:1450:4001::1", port: 65_535 }),
    // 18 bytes whose first 6 are a whole IPv4 address: cut there it decodes, to another address.
  ],
  validPrefix: (length) => length === 6,
});

test("an address has the bytes of PROTOCOL 7.1", () => {
  // Would catch a family byte left in, as join relays have it, and a little-endian port.
  assert.equal(encodeAddress({ host: "1.2.3.4", port: 9001 }).toString("hex"), "010203042329");
  assert.equal(
    encodeAddress({ host: "2001:db8::7", port: 1 }).toString("hex"),
    "20010db80000000000000000000000070001",
  );
});

test("one address has one encoding: port 0 and IPv4 in IPv6 form are refused", () => {
  const mapped = Buffer.from("00000000000000000000ffff080808082329", "hex");
  assert.throws(() => decodeAddress(mapped), { code: "E_DECODE" });
  assert.throws(() => decodeAddress(Buffer.from("080808080000", "hex")), { code: "E_DECODE" });
  for (const [host, port] of [
    ["::ffff:8.8.8.8", 1],
    ["8.8.8.8", 0],
    ["8.8.8.8", 65_536],
    ["relay.example", 1],
  ] as const) {
    assert.throws(() => encodeAddress({ host, port }), { code: "E_DECODE" }, host);
  }
});

test("kinds of addresses at the edges of their ranges", () => {
  // Would catch a prefix that is a bit too long or too short.
  const kinds = {
    public: [
      "8.8.8.8",
      "9.255.255.255",
      "11.0.0.0",
      "100.63.255.255",
      "100.128.0.0",
      "172.15.255.255",
      "172.32.0.0",
    ],
    local: [
      "10.0.0.1",
      "127.0.0.1",
      "100.64.0.0",
      "100.127.255.255",
      "172.16.0.0",
      "172.31.255.255",
      "192.168.1.1",
      "192.0.2.1",
      "198.19.255.255",
    ],
    special: ["0.0.0.0", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.0.1"],
  };
  const v6 = {
    public: ["2a00:1450::1", "2606:4700::1111", "2001:200::1"],
    local: ["::1", "fe80::1", "febf::1", "fc00::1", "fdff::1", "2001:db8::1"],
    special: [
      "::",
      "::2",
      "ff02::1",
      "2001::1",
      "2002:a00:1::1",
      "64:ff9b::a00:1",
      "::ffff:8.8.8.8",
      "fec0::1",
    ],
  };
  for (const table of [kinds, v6]) {
    for (const [kind, hosts] of Object.entries(table)) {
      for (const host of hosts) assert.equal(addressKind(host), kind, host);
    }
  }
  assert.equal(addressKind("example.org"), "special");
});

test("IPv4 kinds agree with Node's own prefix matcher on random addresses", () => {
  const local = new BlockList();
  for (const [net, bits] of [
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
    ["192.0.2.0", 24],
    ["198.18.0.0", 15],
    ["198.51.100.0", 24],
    ["203.0.113.0", 24],
  ] as const) {
    local.addSubnet(net, bits);
  }
  const lead = fc.constantFrom(10, 100, 127, 169, 172, 192, 198, 203, 8);
  fc.assert(
    fc.property(lead, fc.nat(255), fc.nat(255), fc.nat(255), (a, b, c, d) => {
      const host = ipText(Uint8Array.of(a, b, c, d));
      assert.equal(addressKind(host) === "local", local.check(host));
    }),
    { numRuns: 1000 },
  );
});

test("private addresses are dialled in test networks only, multicast never", () => {
  // Would catch a relay that strangers can use to reach into the network behind it.
  assert.equal(mayDial({ host: "192.168.0.9", port: 1 }, NETWORK), false);
  assert.equal(mayDial({ host: "192.168.0.9", port: 1 }, TEST_NETWORK), true);
  assert.equal(mayDial({ host: "224.0.0.1", port: 1 }, TEST_NETWORK), false);
  assert.equal(mayDial({ host: "8.8.8.8", port: 1 }, NETWORK), true);
  for (const port of [0, 65_536, 1.5]) assert.equal(mayDial({ host: "8.8.8.8", port }, NETWORK), false);
  assert.equal(mayDial({ host: "localhost", port: 80 }, TEST_NETWORK), false);
});

test("subnets are /24 and /48, and the families never meet", () => {
  assert.equal(subnetKey("1.2.3.4"), subnetKey("1.2.3.250"));
  assert.notEqual(subnetKey("1.2.3.4"), subnetKey("1.2.4.4"));
  assert.equal(subnetKey("2a00:1:2:3::1"), subnetKey("2a00:1:2:ffff::1"));
  assert.notEqual(subnetKey("2a00:1:2::1"), subnetKey("2a00:1:3::1"));
  assert.notEqual(subnetKey("32.1.2.3"), subnetKey("2001:203::"));
});
