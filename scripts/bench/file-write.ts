import { open, rm } from "node:fs/promises";

const MIB = 1024 * 1024;
const CHUNK = Buffer.alloc(256 * 1024, 7);

/**
 * CPU seconds per GiB that this machine takes to write a new file, which is removed again: a download writes twice its size, the pack and what is in it. On virtual
 * machines that give memory back to their host this is more than all of a download's encryption.
 */
export async function measureFileWrite(file: string, mib: number): Promise<number> {
  const before = process.cpuUsage();
  const handle = await open(file, "w");
  for (let written = 0; written < mib * MIB; written += CHUNK.length) await handle.write(CHUNK);
  await handle.close();
  const used = process.cpuUsage(before);
  await rm(file);
  return ((used.user + used.system) / 1e6) * (1024 / mib);
}
