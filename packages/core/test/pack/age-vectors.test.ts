/**
 * age's own test files (npm cctv-age), each opened whole, streamed, byte by byte and by random access. Each names the failure it
 * expects, so a header failure that is taken for a wrong key, or plaintext given out before it authenticated, shows here.
 * Left out: the armored ones. A pack is a binary file that is read at any offset; armor is for mail, and nothing of ours writes or reads it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import * as vectors from "cctv-age";
import { isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { sha256 } from "../../src/crypto/hash.ts";
import { ageBodyOffset, openAgeHeader, openHeaderBytes, type AgeKeys } from "../../src/pack/age-header.ts";
import { openAgeSource } from "../../src/pack/age-source.ts";
import { AgeStreamDecryptor, CHUNK_BYTES } from "../../src/pack/age-stream.ts";
import { MemorySource } from "../support/memory-source.ts";

type Phase = "header" | "body";
interface Outcome {
  readonly plain: Buffer;
  readonly failure?: { readonly phase: Phase; readonly code: ErrorCode };
}

const EXPECTED: Readonly<Record<string, Outcome["failure"]>> = {
  success: undefined,
  "no match": { phase: "header", code: "E_NO_KEY" },
  "HMAC failure": { phase: "header", code: "E_CRYPTO" },
  "header failure": { phase: "header", code: "E_AGE_HEADER" },
  "payload failure": { phase: "body", code: "E_CRYPTO" },
};

interface Vector {
  readonly name: string;
  readonly expect: string;
  readonly armored: boolean;
  readonly payloadHash: string | undefined;
  readonly keys: AgeKeys;
  readonly file: Buffer;
}

function decodeVector(name: string, bytes: Buffer): Vector {
  const split = bytes.indexOf("\n\n");
  const fields = new Map<string, string[]>();
  for (const line of bytes.toString("utf8", 0, split).split("\n")) {
    const colon = line.indexOf(": ");
    const key = line.slice(0, colon);
    fields.set(key, [...(fields.get(key) ?? []), line.slice(colon + 2)]);
  }
  const body = bytes.subarray(split + 2);
  const passwords = fields.get("passphrase") ?? [];
  return {
    name,
    expect: String(fields.get("expect")),
    armored: fields.get("armored")?.[0] === "yes",
    payloadHash: fields.get("payload")?.[0],
    keys:
      passwords[0] === undefined ? { identities: fields.get("identity") ?? [] } : { password: passwords[0] },
    file: fields.get("compressed")?.[0] === "zlib" ? inflateSync(body) : body,
  };
}

const all = Object.entries(vectors as Readonly<Record<string, Uint8Array>>).map(([name, bytes]) =>
  decodeVector(name, Buffer.from(bytes)),
);
const ours = all.filter(({ armored }) => !armored);

/** Feeds the file in steps of `step` bytes, as a program does that reads a pipe. */
async function openStreamed({ file, keys }: Vector, step: number): Promise<Outcome> {
  const released: Buffer[] = [];
  let phase: Phase = "header";
  try {
    let length = 0;
    let bodyAt: number | undefined;
    while (bodyAt === undefined && length < file.length) {
      length = Math.min(file.length, length + step);
      bodyAt = ageBodyOffset(file.subarray(0, length));
    }
    const header = await openHeaderBytes(file.subarray(0, bodyAt ?? file.length), keys);
    phase = "body";
    const decryptor = new AgeStreamDecryptor(header.streamKey);
    for (let at = header.bytes.length; at < file.length; at += step) {
      for (const plain of decryptor.update(file.subarray(at, at + step))) released.push(plain);
    }
    released.push(decryptor.final());
    return { plain: Buffer.concat(released) };
  } catch (error) {
    assert.ok(isBackroomError(error), String(error));
    return { plain: Buffer.concat(released), failure: { phase, code: error.code } };
  }
}

async function openAtRandom({ file, keys }: Vector): Promise<Outcome> {
  let phase: Phase = "header";
  try {
    await openAgeHeader(new MemorySource(file), keys);
    phase = "body";
    const source = await openAgeSource(new MemorySource(file), keys);
    const plain = Buffer.alloc(source.length);
    // Backwards, so that nothing depends on reading in order.
    const step = CHUNK_BYTES - 7;
    for (let at = Math.floor(source.length / step) * step; at >= 0; at -= step) {
      plain.set(await source.read(at, Math.min(step, source.length - at)), at);
    }
    return { plain };
  } catch (error) {
    assert.ok(isBackroomError(error), String(error));
    return { plain: Buffer.alloc(0), failure: { phase, code: error.code } };
  }
}

test("every kind of test file is there, so a changed package cannot empty this suite", () => {
  assert.deepEqual(
    [...new Set(ours.map(({ expect }) => expect))].toSorted(),
    Object.keys(EXPECTED).toSorted(),
  );
  assert.ok(ours.length >= 110, `only ${ours.length}`);
  assert.equal(all.length - ours.length, 33);
});

for (const vector of ours) {
  test(`age test file ${vector.name}: ${vector.expect}`, async () => {
    const expected = EXPECTED[vector.expect];
    // Byte by byte takes a second a MiB, so the long ones go in steps that cross every chunk edge differently.
    const steps =
      vector.file.length < 300_000 ? [vector.file.length + 1, 1000, 1] : [vector.file.length, 4093, 65_553];
    for (const step of steps) {
      const outcome = await openStreamed(vector, step);
      assert.deepEqual(outcome.failure, expected, `in steps of ${step}`);
      if (vector.payloadHash !== undefined) {
        assert.equal(sha256(outcome.plain).toString("hex"), vector.payloadHash, `in steps of ${step}`);
      }
    }
    const outcome = await openAtRandom(vector);
    assert.deepEqual(outcome.failure, expected, "by random access");
    if (expected === undefined) assert.equal(sha256(outcome.plain).toString("hex"), vector.payloadHash);
  });
}
