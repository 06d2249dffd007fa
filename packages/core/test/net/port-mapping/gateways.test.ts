import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { edgesOf, findGateways, parseRoutes } from "../../../src/net/port-mapping/gateways.ts";
import { LIMITS } from "../../../src/base/limits.ts";

const HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT";

test("default gateways are read from the system's routes, once each", () => {
  const routes = [
    HEAD,
    "eth0\t00000000\t0107A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
    "wlan0\t00000000\t0107A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0",
    "wlan0\t00000000\tFE00000A\t0003\t0\t0\t600\t00000000\t0\t0\t0",
    "eth0\t0007A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0",
    "ppp0\t00000000\t00000000\t0001\t0\t0\t100\t00000000\t0\t0\t0",
    "down\t00000000\t0107A8C1\t0002\t0\t0\t100\t00000000\t0\t0\t0",
  ].join("\n");
  assert.deepEqual(parseRoutes(`${routes}\n`), ["192.168.7.1", "10.0.0.254"]);
  const many = Array.from(
    { length: 9 },
    (_, n) => `eth${n}\t00000000\t0${n}07A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0`,
  );
  assert.equal(parseRoutes([HEAD, ...many].join("\n")).length, LIMITS.portMappingGateways);
});

test("whatever the system says, only addresses come of it", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.string(), { maxLength: 6 })), (lines) => {
      const text = lines.map((columns) => columns.join("\t")).join("\n");
      for (const host of parseRoutes(text)) assert.match(host, /^\d+\.\d+\.\d+\.\d+$/);
    }),
  );
  assert.ok(findGateways().length <= LIMITS.portMappingGateways);
});

test("where the system does not say, routers are sought at the edges of one's own network", () => {
  assert.deepEqual(edgesOf("192.168.7.20", "255.255.255.0"), ["192.168.7.1", "192.168.7.254"]);
  assert.deepEqual(edgesOf("10.1.2.3", "255.0.0.0"), ["10.0.0.1", "10.255.255.254"]);
  assert.deepEqual(edgesOf("192.168.7.1", "255.255.255.0"), ["192.168.7.254"]);
  for (const mask of ["255.255.255.255", "255.255.255.254", "no mask"])
    assert.deepEqual(edgesOf("10.0.0.1", mask), []);
});
