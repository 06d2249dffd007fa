import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "../../src/base/random.ts";
import { signEd25519, verifyEd25519 } from "../../src/crypto/keys.ts";
import { generateSharerKey, sharerFingerprint, sharerKeyFromSeed } from "../../src/link/sharer-key.ts";

test("the fingerprint of RFC 8032's first key is the front of its SHA-256", () => {
  const seed = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
  const { keys, fingerprint } = sharerKeyFromSeed(seed);
  assert.equal(
    keys.publicBytes.toString("hex"),
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  );
  assert.equal(fingerprint.toString("hex"), "21fe31dfa154a261626bf854046fd227");
  assert.deepEqual(sharerFingerprint(keys.publicBytes), fingerprint);
});

test("a kept seed gives the same key, and every share another one", () => {
  const [one, two] = [generateSharerKey(systemRandom), generateSharerKey(systemRandom)];
  const message = Buffer.from("lease");
  const again = sharerKeyFromSeed(one.seed);
  assert.ok(verifyEd25519(one.keys.publicKey, message, signEd25519(again.keys.privateKey, message)));
  assert.notDeepEqual(one.fingerprint, two.fingerprint);
});
