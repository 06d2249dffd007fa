import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import { decodeName, encodeName, showableName } from "../../src/link/name.ts";

test("any text gives a name that a link can carry and a screen can show", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.integer({ min: 4, max: 255 }),
      (text, most) => {
        const name = showableName(text, most);
        const bytes = encodeName(name, most, "E_LINK");
        assert.ok(bytes.length <= most);
        assert.equal(decodeName(bytes, most, "E_LINK"), name);
        assert.doesNotMatch(name, /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u);
      },
    ),
  );
});

test("a name that can be shown is not touched, one that is too long is cut between characters", () => {
  assert.equal(showableName("Zoë’s 写真 👨‍👩‍👧 (2)", 255), "Zoë’s 写真 👨‍👩‍👧 (2)");
  assert.equal(showableName("ééé", 5), "éé");
  assert.equal(showableName("a\u001B[2Jb\u202Ec", 255), "a_[2Jb_c");
  for (const empty of ["", " ", "\u200B\uFEFF", "\u3164"]) assert.equal(showableName(empty, 255), "_");
});

test("the check does not remember the text before: it says the same each time", () => {
  for (let n = 0; n < 3; n++) {
    assert.throws(
      () => encodeName("a\nb", 255, "E_LINK"),
      (error) => isBackroomError(error, "E_LINK"),
    );
    assert.ok(encodeName("ab", 255, "E_LINK"));
  }
});
