import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import { Bitfield } from "../../src/torrent/bitfield.ts";
import { decoderSuite } from "../support/decoder-suite.ts";

decoderSuite({
  name: "bitfield of 19",
  decode: (bytes) => Bitfield.decode(bytes, 19),
  encode: (field) => field.encode(),
  samples: [Buffer.from("ff01e0", "hex"), Buffer.from("000000", "hex")],
});

test("a bitfield behaves as a set of numbers: counts that drift after clear or a repeated set fail here", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 40 })), { maxLength: 100 });
  fc.assert(
    fc.property(steps, (list) => {
      const field = new Bitfield(41);
      const model = new Set<number>();
      for (const [add, piece] of list) {
        if (add) {
          assert.equal(field.set(piece), !model.has(piece));
          model.add(piece);
        } else {
          field.clear(piece);
          model.delete(piece);
        }
      }
      assert.equal(field.count, model.size);
      const copy = Bitfield.decode(field.encode(), 41);
      assert.equal(copy.count, model.size);
      for (let piece = 0; piece < 41; piece++) assert.equal(copy.has(piece), model.has(piece));
    }),
  );
});

test("piece 0 is the highest bit, a spare bit or a piece out of range is refused", () => {
  const field = new Bitfield(9);
  field.set(0);
  field.set(8);
  assert.equal(field.encode().toString("hex"), "8080");
  assert.equal(field.has(9), false);
  assert.throws(
    () => field.set(9),
    (error) => isBackroomError(error, "E_WIRE"),
  );
  assert.throws(
    () => Bitfield.decode(Buffer.from("8081", "hex"), 9),
    (error) => isBackroomError(error, "E_WIRE"),
  );
  assert.ok(Bitfield.full(9).complete);
  assert.equal(Bitfield.full(9).encode().toString("hex"), "ff80");
});
