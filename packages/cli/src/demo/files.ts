import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import path from "node:path";

const MIB = 1024 * 1024;

/** A small holiday: some text that compresses, a film that does not, an empty file, an empty folder, names beyond ASCII. */
export async function makeHoliday(folder: string): Promise<void> {
  await mkdir(path.join(folder, "Photos", "Übersee 🏝"), { recursive: true });
  await mkdir(path.join(folder, "nothing yet"), { recursive: true });
  await writeFile(path.join(folder, "empty.txt"), "");
  await writeFile(path.join(folder, "diary.txt"), "The sea was warm, and we stayed. ".repeat(30_000));
  for (let photo = 1; photo <= 24; photo++) {
    await writeFile(
      path.join(folder, "Photos", `${String(photo).padStart(3, "0")}.jpg`),
      randomBytes(MIB / 2),
    );
  }
  await writeFile(path.join(folder, "Photos", "Übersee 🏝", "film.mp4"), randomBytes(80 * MIB));
}

/** Path (relative, with `/`) to SHA-256 of the content, or `folder`, for everything below `root`, sorted by path. */
export async function treeHashes(root: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const found: [string, string][] = [];
  for (const entry of entries) {
    const full = path.join(entry.parentPath, entry.name);
    const name = path.relative(root, full).split(path.sep).join("/");
    if (entry.isDirectory()) found.push([name, "folder"]);
    else if (entry.isFile()) found.push([name, await fileHash(full)]);
  }
  return new Map(found.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function fileHash(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: MIB })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
