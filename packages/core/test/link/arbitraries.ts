import fc from "fast-check";
import { ipText } from "../../src/base/ip-address.ts";
import type { JoinRelay, Place } from "../../src/link/join-relay.ts";
import { showableName } from "../../src/link/name.ts";

const hosts = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  // Not an IPv4 address in IPv6 form.
  .map((bytes) => ipText(bytes.length === 4 ? bytes : Buffer.from([0x20, ...bytes.subarray(1)])));

export const places: fc.Arbitrary<Place> = fc
  .tuple(hosts, fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => ({ host, port }));

export const joinRelays: fc.Arbitrary<JoinRelay> = fc
  .tuple(fc.uint8Array({ minLength: 32, maxLength: 32 }), places)
  .map(([key, place]) => ({ nodeKey: Buffer.from(key), ...place }));

export const names = (mostBytes: number): fc.Arbitrary<string> =>
  fc.string({ unit: "binary", minLength: 1, maxLength: 80 }).map((text) => showableName(text, mostBytes));
