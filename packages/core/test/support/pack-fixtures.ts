import { rmSync } from "node:fs";
import { mkdtemp, mkdir, readFile, readdir, stat, utimes, writeFile, chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { systemRandom } from "../../src/base/random.ts";
import { identityFromSecret } from "../../src/pack/age-keys.ts";
import { openPack, type OpenOptions, type OpenResult } from "../../src/pack/open.ts";
import { sealPack, type SealDeps, type SealOptions, type SealResult } from "../../src/pack/seal.ts";
import type { PackSource } from "../../src/pack/source.ts";

export const identity = identityFromSecret(Buffer.alloc(32, 7));
export const lock = { recipients: [identity.recipient] };
export const keys = { identities: [identity.identity] };

/** A folder that is gone after the test. */
export async function tempFolder(t: TestContext, parent = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(parent, "backroom-pack-"));
  // At once, which is ten times as fast where there are many files.
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Paths that end in "/" are folders; the others files with that content. */
export type Tree = Readonly<Record<string, string | Buffer>>;

export async function makeTree(folder: string, tree: Tree): Promise<void> {
  for (const [path, content] of Object.entries(tree)) {
    const place = join(folder, path);
    await mkdir(path.endsWith("/") ? place : dirname(place), { recursive: true });
    if (!path.endsWith("/")) await writeFile(place, content);
  }
}

/** Every path below `folder` with what a pack keeps of it, in one comparable text a path. */
export async function snapshot(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const lines = found.map(async (item) => {
    const place = join(item.parentPath, item.name);
    const { mode, mtimeMs } = await stat(place);
    const shared = `${place.slice(folder.length)} ${Math.floor(mtimeMs / 1000)}`;
    if (item.isDirectory()) return `${shared} dir`;
    return `${shared} ${(mode & 0o111) !== 0 ? "x" : "-"} ${(await readFile(place)).toString("base64")}`;
  });
  return (await Promise.all(lines)).sort();
}

/** Old, uneven times and one executable, so that a reader that ignores them shows. */
export async function ageTree(folder: string, executable?: string): Promise<void> {
  if (executable !== undefined) await chmod(join(folder, executable), 0o755);
  const found = await readdir(folder, { recursive: true });
  for (const [index, path] of found.entries()) await utimes(join(folder, path), 1e9 + index, 1e9 + index);
}

export async function sealToBuffer(
  paths: readonly string[],
  options: Partial<SealOptions> = {},
  deps: Partial<SealDeps> = {},
): Promise<{ pack: Buffer; result: SealResult }> {
  const parts: Buffer[] = [];
  const result = await sealPack(
    { lock, paths, ...options },
    {
      random: systemRandom,
      write: async (bytes) => {
        parts.push(Buffer.from(bytes));
      },
      ...deps,
    },
  );
  return { pack: Buffer.concat(parts), result };
}

export function bufferSource(bytes: Buffer): PackSource {
  return {
    length: bytes.length,
    read: async (offset, length) => Buffer.from(bytes.subarray(offset, offset + length)),
  };
}

export async function openBuffer(
  pack: Buffer,
  target: string,
  options: Partial<OpenOptions> = {},
): Promise<OpenResult> {
  return await openPack(
    { keys, place: { target }, root: Buffer.alloc(32, 1), ...options },
    { source: bufferSource(pack), random: systemRandom },
  );
}

/** Bytes that do not compress, the same in every run. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = seed;
  for (let offset = 0; offset < length; offset++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[offset] = state >>> 24;
  }
  return bytes;
}

/** Bytes that compress. */
export function text(length: number): Buffer {
  return Buffer.alloc(length, "all the pieces of this text return again and again. ");
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
