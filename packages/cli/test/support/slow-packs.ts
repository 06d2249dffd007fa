/**
 * Loaded into a sharer with `--import`: it reads packs at BACKROOM_PACK_RATE bytes a second, as from a slow disk. So a download lasts for as long as a test
 * needs to do something in the middle of it, however quick the machine is.
 */
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

const bytesPerMs = Number(process.env["BACKROOM_PACK_RATE"]) / 1000;
const open = fs.open.bind(fs);
let freeMs = 0;

fs.open = async (file, ...rest) => {
  const handle = await open(file, ...rest);
  if (!String(file).endsWith(".pack")) return handle;
  const read = handle.read.bind(handle) as (...args: unknown[]) => Promise<{ bytesRead: number }>;
  const slow = async (...args: unknown[]): Promise<{ bytesRead: number }> => {
    const got = await read(...args);
    freeMs = Math.max(freeMs, performance.now()) + got.bytesRead / bytesPerMs;
    await sleep(freeMs - performance.now());
    return got;
  };
  return Object.assign(handle, { read: slow });
};
syncBuiltinESMExports();
