import { open } from "node:fs/promises";
import { join } from "node:path";
import { systemRandom } from "../../packages/core/src/base/random.ts";
import { openPack } from "../../packages/core/src/pack/open.ts";
import { sealPack } from "../../packages/core/src/pack/seal.ts";
import { MerkleHasher } from "../../packages/core/src/torrent/merkle-hasher.ts";
import { usageOf } from "./process-usage.ts";

/** One sealing or opening in a process of its own: `pack-child.ts seal|open FOLDER KEY`. Prints what it took. */
const startSeconds = performance.now() / 1000;
const [task, folder = "", key = ""] = process.argv.slice(2);
const pack = await open(join(folder, "ours"), task === "seal" ? "w" : "r");
if (task === "seal") {
  const hasher = new MerkleHasher();
  const write = async (bytes: Buffer): Promise<void> => void (await pack.write(bytes));
  const lock = { recipients: [key] };
  await sealPack({ paths: [join(folder, "corpus")], lock }, { random: systemRandom, hasher, write });
  hasher.digest();
} else {
  const read = async (offset: number, length: number): Promise<Buffer> =>
    (await pack.read(Buffer.allocUnsafe(length), 0, length, offset)).buffer;
  const source = { length: (await pack.stat()).size, read };
  const place = { target: join(folder, "ours-out") };
  await openPack(
    { keys: { identities: [key] }, place, root: Buffer.alloc(32) },
    { source, random: systemRandom },
  );
}
await pack.close();
const { userCPUTime, systemCPUTime } = process.resourceUsage();
// Not `maxRSS`, which begins at what the process that started this one holds.
const { peakMiB } = usageOf(process.pid);
process.stdout.write(
  JSON.stringify({ startSeconds, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMiB }),
);
