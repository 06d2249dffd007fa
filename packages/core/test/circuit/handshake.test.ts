import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { test } from "node:test";
import { sha256 } from "../../src/crypto/hash.ts";
import {
  agree,
  generateKeys,
  kemDecapsulate,
  keysFromSecret,
  publicKeyFrom,
  type KeyPair,
} from "../../src/crypto/keys.ts";
import {
  clientHello,
  PROTOCOL_ID,
  serverReply,
  type ClientEphemeral,
  type HandshakeKeys,
  type ServerEphemeral,
} from "../../src/circuit/handshake.ts";
import { clientMac, clientSecrets, serverAuth, serverSecrets, streamCipher } from "../../src/circuit/ntor.ts";
import { isBackroomError } from "../../src/base/errors.ts";
import { decoderSuite } from "../support/decoder-suite.ts";

const hex = (text: string): Buffer => Buffer.from(text, "hex");

// Section X.2 of Tor proposal 332. A wrong order, tweak or length prefix anywhere in the transcript fails here.
test("the transcript is ntor-v3 of Tor proposal 332", () => {
  const b = keysFromSecret("x25519", hex("4051daa5921cfa2a1c27b08451324919538e79e788a81b38cbed097a5dff454a"));
  const x = keysFromSecret("x25519", hex("b825a3719147bcbe5fb1d0b0fcb9c09e51948048e2e3283d2ab7b45b5ef38b49"));
  const y = keysFromSecret("x25519", hex("4865a5b7689dafd978f529291c7171bc159be076b92186405d13220b80e2a053"));
  const context = {
    protocolId: "ntor3-curve25519-sha3_256-1",
    psk: Buffer.from("xyzzy"),
    nodeId: hex("9fad2af287ef942632833d21f946c6260c33fae6172b60006e86e4a6911753a2"),
    onionKey: b.publicBytes,
    clientPart: x.publicBytes,
  };
  const Bx = agree(x.privateKey, b.publicKey);
  const first = clientSecrets(context, Bx);
  assert.equal(
    first.encryption.toString("hex"),
    "4cd166e93f1c60a29f8fb9ec40ea0fc878930c27800594593e1c4d0f3b5fbd02",
  );
  assert.equal(first.mac.toString("hex"), "f5b69e85fdd26e1b0bdbbc8128e32d8123040255f11f744af3cc98fc13613cda");
  const sealed = streamCipher(first.encryption, Buffer.from("hello world"));
  assert.equal(sealed.toString("hex"), "3bebd9151fd3b47c180abc");
  const mac = clientMac(context, first, sealed);
  assert.equal(mac.toString("hex"), "9e044d53565f04d82bbb3bebed3d06cea65db8be9c72b68cd461942088502f67");

  const secrets = serverSecrets(context, y.publicBytes, [agree(y.privateKey, x.publicKey), Bx], 256);
  assert.equal(
    secrets.verify.toString("hex"),
    "1dc09fb249738a79f1bc3a545eee8c415f27213894a760bb4df58862e414799a",
  );
  assert.equal(
    secrets.encryption.toString("hex"),
    "cab8a93eef62246a83536c4384f331ec26061b66098c61421b6cae81f4f57c56",
  );
  assert.equal(
    secrets.keys.subarray(0, 64).toString("hex"),
    "9c19b631fd94ed86a817e01f6c80b0743a43f5faebd39cfaa8b00fa8bcc65c3bfeaa403d91acbd68a821bf6ee8504602b094a254392a07737d5662768c7a9fb1",
  );
  assert.equal(secrets.keys.subarray(-8).toString("hex"), "e4f06309b0333b4a".padStart(16, "0"));
  const answer = streamCipher(secrets.encryption, Buffer.from("Hola Mundo"));
  assert.equal(answer.toString("hex"), "1202c3e1e87c0d32054c");
  const auth = serverAuth(context, y.publicBytes, secrets.verify, mac, answer);
  assert.equal(auth.toString("hex"), "2fc5f8773ca824542bc6cf6f57c7c29bbf4e5476461ab130c5b18ab0a9127665");
});

const NODE_ID = Buffer.alloc(32, 1);
const ONION = keysFromSecret("x25519", Buffer.alloc(32, 2));

/** Everything that is random in a handshake, fixed. */
function fixed(): { client: ClientEphemeral; server: ServerEphemeral } {
  const seed = Buffer.alloc(64, 3);
  const privateKey = createPrivateKey({ key: seed, format: "raw-seed", asymmetricKeyType: "ml-kem-768" });
  const publicKey = createPublicKey(privateKey);
  const publicBytes = publicKey.export({ format: "raw-public" });
  const client = {
    dh: keysFromSecret("x25519", Buffer.alloc(32, 4)),
    kem: { publicKey, privateKey, publicBytes },
  };
  // Any ciphertext of the right length decapsulates to a fixed secret (implicit rejection), so a made-up one makes a vector.
  const ciphertext = Buffer.alloc(1088, 5);
  const shared = kemDecapsulate(privateKey, ciphertext);
  const dh = keysFromSecret("x25519", Buffer.alloc(32, 6));
  return { client, server: { dh, encapsulate: () => ({ shared, ciphertext }) } };
}

const target = { protocolId: PROTOCOL_ID.hop, nodeId: NODE_ID, onionKey: ONION.publicBytes, position: 2 };
const identity = { protocolId: PROTOCOL_ID.hop, nodeId: NODE_ID, onionKeys: [ONION] };
const allKeys = (keys: HandshakeKeys): Buffer =>
  Buffer.concat([keys.forwardData, keys.backwardData, keys.forwardControl, keys.backwardControl]);
const refuses = (run: () => unknown): void =>
  assert.throws(
    run,
    (error) => isBackroomError(error, "E_HANDSHAKE") && error.message === "the handshake was not completed",
  );

// Catches a change of any byte of PROTOCOL 6.1 that both of our own sides agree on.
test("fixed keys give fixed bytes", () => {
  const { client, server } = fixed();
  const hello = clientHello(target, client);
  const answer = serverReply(identity, hello.message, server);
  assert.equal(hello.message.length, 1344);
  assert.equal(answer.reply.length, 1184);
  assert.equal(
    sha256(hello.message).toString("hex"),
    "28d527b1efbecd69b537fd5bc9b76aaedfd9582aeb5bd99dc1d24f858947966e",
  );
  assert.equal(
    sha256(answer.reply).toString("hex"),
    "fd9efd148e22ad8ed0ed50f7a675bca65f519632fe472176efdbce37be16f850",
  );
  assert.equal(
    sha256(allKeys(answer.keys)).toString("hex"),
    "5118b64b874f0e5ab0ce096ec48a220612fc35cc77cc6b098091805f81a5e5ec",
  );
  assert.deepEqual(hello.finish(answer.reply), answer.keys);
});

test("both sides get the same four different keys and the hop its position", () => {
  const hello = clientHello(target);
  const { reply, keys, position } = serverReply(identity, hello.message);
  assert.equal(position, 2);
  assert.deepEqual(hello.finish(reply), keys);
  assert.equal(new Set(Object.values(keys).map((key: Buffer) => key.toString("hex"))).size, 4);
});

test("a relay still answers under its previous onion key, and refuses one it never had", () => {
  const next = generateKeys("x25519");
  const { message } = clientHello(target);
  assert.ok(serverReply({ ...identity, onionKeys: [next, ONION] }, message));
  refuses(() => serverReply({ ...identity, onionKeys: [next] }, message));
  refuses(() => serverReply({ ...identity, nodeId: Buffer.alloc(32, 9) }, message));
});

test("a tunnel's psk and name are part of it: without either nobody completes the handshake", () => {
  const psk = Buffer.alloc(32, 7);
  const tunnel = { ...target, protocolId: PROTOCOL_ID.tunnel, psk, position: 0 };
  const server = { ...identity, protocolId: PROTOCOL_ID.tunnel, psk };
  const hello = clientHello(tunnel);
  const { reply, keys } = serverReply(server, hello.message);
  assert.deepEqual(hello.finish(reply), keys);
  refuses(() => serverReply({ ...server, psk: Buffer.alloc(32, 8) }, hello.message));
  refuses(() => serverReply({ ...server, protocolId: PROTOCOL_ID.hop }, hello.message));
  refuses(() => clientHello({ ...tunnel, psk: Buffer.alloc(32, 8) }).finish(reply));
});

test("every flipped bit of message or reply fails, and fails alike", () => {
  const hello = clientHello(target);
  const { reply } = serverReply(identity, hello.message);
  const flipped = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] as number) ^ (1 << (at % 7));
    return copy;
  };
  for (let at = 0; at < 1344; at += 13) refuses(() => serverReply(identity, flipped(hello.message, at)));
  for (let at = 0; at < 1184; at += 13) refuses(() => hello.finish(flipped(reply, at)));
  assert.ok(hello.finish(reply));
});

test("keys of small order and onion keys that are none are refused, not agreed on", () => {
  refuses(() => clientHello({ ...target, onionKey: Buffer.alloc(32) }));
  refuses(() => clientHello({ ...target, onionKey: Buffer.alloc(31, 1) }));
  const { client } = fixed();
  const zero: KeyPair = { ...client.dh, publicBytes: Buffer.alloc(32) };
  assert.throws(() => agree(ONION.privateKey, publicKeyFrom("x25519", zero.publicBytes)));
  refuses(() => serverReply(identity, clientHello(target, { ...client, dh: zero }).message));
});

decoderSuite({
  name: "client message",
  samples: [clientHello(target).message],
  decode: (bytes) => serverReply(identity, bytes),
  runs: 100,
});

const suiteHello = clientHello(target);
decoderSuite({
  name: "server reply",
  samples: [serverReply(identity, suiteHello.message).reply],
  decode: (bytes) => suiteHello.finish(bytes),
  runs: 100,
});
