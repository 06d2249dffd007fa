import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemRandom } from "../../src/base/random.ts";
import { openPack } from "../../src/pack/open.ts";
import { unpackInThread } from "../../src/pack/unpack-thread.ts";
import { MemorySource } from "../support/memory-source.ts";
import { keys, sealToBuffer } from "../support/pack-fixtures.ts";

/** Run where Node refuses to start threads, as the system may. */
const [folder = ""] = process.argv.slice(2);

// A folder: where Node refuses threads, it does not set the time of an open file either.
await mkdir(join(folder, "in/hollow"), { recursive: true });
const { pack } = await sealToBuffer([join(folder, "in")]);
const options = { keys, place: { target: join(folder, "out") }, root: Buffer.alloc(32, 1) };
const deps = { source: new MemorySource(pack), random: systemRandom, unpack: unpackInThread };
await openPack(options, deps);
assert.deepEqual(await readdir(join(folder, "out")), ["hollow"]);
