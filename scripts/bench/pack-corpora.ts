import { createCipheriv } from "node:crypto";
import { mkdir, open, readFile, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

const MiB = 1024 * 1024;
const LARGE_MIB = 512;
const SMALL_FILES = 30_000;
const FOLDERS = 300;

/** What is sealed and opened: the same bytes in every run on every machine, each corpus a folder of its own. */
export const CORPORA: Record<string, (folder: string) => Promise<void>> = {
  [`${LARGE_MIB} MiB incompressible`]: makeNoise,
  [`${LARGE_MIB} MiB programs and text`]: makeCompressible,
  [`${SMALL_FILES} small files`]: makeSmall,
};

async function makeNoise(folder: string): Promise<void> {
  await inFile(join(folder, "noise"), async (file) => {
    const next = noise();
    for (let done = 0; done < LARGE_MIB; done++) await file.write(next(MiB));
  });
}

/** Half of it Node's own program, half text. Neither repeats within what zstd looks back over at level 3. */
async function makeCompressible(folder: string): Promise<void> {
  const parts = { program: await readFile(process.execPath), text: words(32 * MiB) };
  for (const [name, bytes] of Object.entries(parts)) {
    await inFile(join(folder, name), async (file) => {
      for (let left = (LARGE_MIB / 2) * MiB; left > 0; left -= bytes.length)
        await file.writeFile(bytes.subarray(0, left));
    });
  }
}

/** Of 0 to 4,095 bytes, every other one text. */
async function makeSmall(folder: string): Promise<void> {
  const next = noise();
  const text = words(MiB);
  for (let index = 0; index < FOLDERS; index++) await mkdir(join(folder, `folder ${index}`));
  for (let index = 0; index < SMALL_FILES; index++) {
    const size = next(2).readUInt16LE() % 4096;
    const content = index % 2 === 0 ? next(size) : text.subarray(index * 7, index * 7 + size);
    await writeFile(join(folder, `folder ${index % FOLDERS}`, `file ${index}`), content);
  }
}

async function inFile(path: string, use: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, "wx");
  try {
    await use(file);
  } finally {
    await file.close();
  }
}

/** Gives ever more bytes of one key stream. */
function noise(): (length: number) => Buffer {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, 1), Buffer.alloc(16));
  return (length) => cipher.update(Buffer.alloc(length));
}

/** Lines of words, of which some are far more frequent than others, as in texts. */
function words(length: number): Buffer {
  const next = noise();
  const vocabulary = Array.from({ length: 4096 }, (_, index) =>
    next(2 + (index % 9))
      .toString("base64")
      .replaceAll(/[^a-zA-Z]/g, "")
      .toLowerCase(),
  );
  const parts: string[] = [];
  for (let made = 0; made < length;) {
    const dice = next(2).readUInt16LE();
    const word = vocabulary[dice % ((dice >> 12) * 273 + 1)] ?? "";
    const part = word + (dice % 13 === 0 ? ".\n" : " ");
    made += part.length;
    parts.push(part);
  }
  return Buffer.from(parts.join("")).subarray(0, length);
}
