import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { systemRandom } from "../../src/base/random.ts";
import { createAgeHeader } from "../../src/pack/age-header.ts";
import { formatKeyFile, generateIdentity } from "../../src/pack/age-keys.ts";
import { openAgeSource } from "../../src/pack/age-source.ts";
import { AgeStreamEncryptor, CHUNK_BYTES } from "../../src/pack/age-stream.ts";
import { MemorySource } from "../support/memory-source.ts";
import { havePartners } from "../support/partners.ts";

const lengths = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 1_000_000];

function age(args: string[], input: Buffer): Buffer {
  const result = spawnSync("age", args, { input, maxBuffer: 2 ** 24 });
  assert.equal(result.status, 0, result.stderr.toString());
  return result.stdout;
}

async function keyFile(t: TestContext): Promise<{ file: string; identity: string; recipient: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), "backroom-age-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const { identity, recipient } = generateIdentity(systemRandom);
  const file = path.join(folder, "key.txt");
  writeFileSync(file, await formatKeyFile(identity, Date.now()), { mode: 0o600 });
  return { file, identity, recipient };
}

test("age opens what we seal, with our key file, at every chunk edge", async (t) => {
  if (!havePartners(t, "age")) return;
  const { file, recipient } = await keyFile(t);
  for (const length of lengths) {
    const plain = randomBytes(length);
    const header = await createAgeHeader({ recipients: [recipient] }, systemRandom);
    const encryptor = new AgeStreamEncryptor(header.streamKey);
    const sealed = Buffer.concat([header.bytes, ...encryptor.update(plain), ...encryptor.final()]);
    assert.ok(age(["--decrypt", "--identity", file], sealed).equals(plain), `${length} bytes`);
  }
});

test("we open what age seals, at every chunk edge", async (t) => {
  if (!havePartners(t, "age")) return;
  const { identity, recipient } = await keyFile(t);
  for (const length of lengths) {
    const plain = randomBytes(length);
    const sealed = age(["--encrypt", "--recipient", recipient], plain);
    const source = await openAgeSource(new MemorySource(sealed), { identities: [identity] });
    assert.ok((await source.read(0, source.length)).equals(plain), `${length} bytes`);
  }
});
