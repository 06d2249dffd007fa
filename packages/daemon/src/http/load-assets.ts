import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { systemCode } from "@backroom/core/base/system-code.ts";
import { assetsOf, NO_PAGE_ASSETS, type Assets } from "./static-assets.ts";

/** What `npm run build:web` made, read into memory once. Without it a page that says that it is not there. */
export async function loadAssets(folder: string): Promise<Assets> {
  const files = new Map<string, Uint8Array>();
  try {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath, entry.name);
      files.set(path.relative(folder, file).split(path.sep).join("/"), await readFile(file));
    }
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
  return files.has("index.html") ? assetsOf(files) : NO_PAGE_ASSETS;
}
