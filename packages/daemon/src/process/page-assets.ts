import { getAssetKeys, getRawAsset, isSea } from "node:sea";
import { fileURLToPath } from "node:url";
import { loadAssets } from "../http/load-assets.ts";
import { assetsOf, type Assets } from "../http/static-assets.ts";

/** What the page's files are called within the single executable. */
export const PAGE_ASSETS = "page/";

/** The built page: beside this package in a checkout and in a release, or within the executable. */
export async function pageAssets(): Promise<Assets> {
  if (!isSea()) return loadAssets(fileURLToPath(new URL("../../../web/dist", import.meta.url)));
  const names = getAssetKeys().filter((name) => name.startsWith(PAGE_ASSETS));
  return assetsOf(
    new Map(names.map((name) => [name.slice(PAGE_ASSETS.length), new Uint8Array(getRawAsset(name))])),
  );
}
