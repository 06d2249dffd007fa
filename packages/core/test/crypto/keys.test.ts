import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import { counterNonce, openAead, sealAead } from "../../src/crypto/aead.ts";
import { hkdf } from "../../src/crypto/hash.ts";
import {
  agree,
  generateKeys,
  kemDecapsulate,
  kemEncapsulate,
  keysFromSecret,
  publicKeyFrom,
  secretBytes,
  secretKey,
  signEd25519,
  verifyEd25519,
} from "../../src/crypto/keys.ts";

const hex = (text: string): Buffer => Buffer.from(text, "hex");

test("Ed25519 agrees with RFC 8032, section 7.1, test 1", () => {
  const keys = keysFromSecret(
    "ed25519",
    hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
  );
  assert.deepEqual(keys.publicBytes, hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
  const signature = signEd25519(keys.privateKey, Buffer.alloc(0));
  assert.deepEqual(
    signature,
    hex(
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
  );
  assert.ok(verifyEd25519(keys.publicKey, Buffer.alloc(0), signature));
  assert.ok(!verifyEd25519(keys.publicKey, Buffer.from("x"), signature));
  assert.ok(!verifyEd25519(keys.publicKey, Buffer.alloc(0), signature.subarray(1)));
});

test("HKDF-SHA-256 agrees with RFC 5869, test case 3", () => {
  assert.deepEqual(
    hkdf(Buffer.alloc(22, 0x0b), Buffer.alloc(0), "", 42),
    hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
  );
});

test("both sides of X25519 and ML-KEM get the same secret, through raw bytes", () => {
  const [alice, bob] = [generateKeys("x25519"), generateKeys("x25519")];
  const shared = agree(alice.privateKey, publicKeyFrom("x25519", bob.publicBytes));
  assert.deepEqual(agree(bob.privateKey, publicKeyFrom("x25519", alice.publicBytes)), shared);

  const kem = generateKeys("ml-kem-768");
  assert.equal(kem.publicBytes.length, 1184);
  const sent = kemEncapsulate(publicKeyFrom("ml-kem-768", kem.publicBytes));
  assert.equal(sent.ciphertext.length, 1088);
  assert.deepEqual(kemDecapsulate(kem.privateKey, sent.ciphertext), sent.shared);
});

test("a key survives being kept as 32 bytes", () => {
  for (const algorithm of ["x25519", "ed25519"] as const) {
    const keys = generateKeys(algorithm);
    assert.deepEqual(keysFromSecret(algorithm, secretBytes(keys)).publicBytes, keys.publicBytes);
  }
});

test("keys that are no keys raise E_CRYPTO, and so does agreement on a point of small order", () => {
  for (const algorithm of ["x25519", "ed25519", "ml-kem-768"] as const) {
    assert.throws(
      () => publicKeyFrom(algorithm, Buffer.alloc(7)),
      (error) => isBackroomError(error, "E_CRYPTO"),
    );
  }
  const small = publicKeyFrom("x25519", Buffer.alloc(32));
  assert.throws(
    () => agree(generateKeys("x25519").privateKey, small),
    (error) => isBackroomError(error, "E_CRYPTO"),
  );
});

test("sealed data opens only whole, with its key, nonce and additional data", () => {
  const key = secretKey(Buffer.alloc(32, 1));
  const sealed = sealAead(key, counterNonce(1), Buffer.from("text"), Buffer.from("about"));
  assert.equal(openAead(key, counterNonce(1), sealed, Buffer.from("about")).toString(), "text");
  const refused = (open: () => Buffer): void =>
    assert.throws(open, (error) => isBackroomError(error, "E_CRYPTO"));
  refused(() => openAead(key, counterNonce(2), sealed, Buffer.from("about")));
  refused(() => openAead(key, counterNonce(1), sealed));
  refused(() => openAead(secretKey(Buffer.alloc(32, 2)), counterNonce(1), sealed, Buffer.from("about")));
  for (let length = 0; length < sealed.length; length++) {
    refused(() => openAead(key, counterNonce(1), sealed.subarray(0, length), Buffer.from("about")));
  }
});
