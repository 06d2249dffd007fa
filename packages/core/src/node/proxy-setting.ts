import { rm } from "node:fs/promises";
import path from "node:path";
import { BackroomError } from "../base/errors.ts";
import { formatProxy, parseProxy, type Proxy } from "../net/proxy.ts";
import { readStateFile, writeStateFile } from "../store/state-file.ts";
import { openDataFolder, type DataFolder } from "./data-folder.ts";

const MOST_BYTES = 4096;

/** A proxy as people see it: without the login. */
export interface ProxySummary {
  /** `address:port`, or undefined where there is none. */
  readonly place: string | undefined;
  readonly hasLogin: boolean;
}

/**
 * The proxy that this member's channels go through: the one given for this run, or else the one that is kept, which a forgotten option must not
 * switch off. Raises E_PROXY for one that cannot be used, and E_STORE: nothing is dialled then.
 */
export async function proxyInUse(folder: DataFolder, given: string | undefined): Promise<Proxy | undefined> {
  if (given !== undefined) return parseProxy(given);
  const kept = await readStateFile(proxyFile(folder), MOST_BYTES);
  return kept === undefined ? undefined : parseProxy(kept.toString("utf8"));
}

/** Keeps a proxy for all runs to come; undefined forgets it. Raises E_PROXY, E_STORE. */
export async function keepProxy(
  dataFolder: string | undefined,
  text: string | undefined,
): Promise<ProxySummary> {
  const folder = await openDataFolder(dataFolder);
  if (text === undefined) {
    await rm(proxyFile(folder), { force: true });
    return summaryOf(undefined);
  }
  const proxy = parseProxy(text);
  await writeStateFile(proxyFile(folder), Buffer.from(`${formatProxy(proxy)}\n`));
  return summaryOf(proxy);
}

export async function proxySummary(
  dataFolder: string | undefined,
  given: string | undefined,
): Promise<ProxySummary> {
  return summaryOf(await proxyInUse(await openDataFolder(dataFolder), given));
}

/** For what no proxy can carry: being reached, and datagrams. Raises E_PROXY where there is one. */
export async function assertNoProxy(folder: DataFolder, given: string | undefined): Promise<void> {
  if ((await proxyInUse(folder, given)) === undefined) return;
  throw new BackroomError("E_PROXY", "a relay cannot work behind a proxy", {
    why: "others reach a relay at its own address, and it asks the DHT from there, so a proxy would hide nothing",
    fix: "run the relay with a data folder of its own (--data) and without a proxy, or do without the proxy: backroom proxy off",
  });
}

function summaryOf(proxy: Proxy | undefined): ProxySummary {
  if (proxy === undefined) return { place: undefined, hasLogin: false };
  const place = formatProxy({ ...proxy, credentials: undefined }).replace("socks5://", "");
  return { place, hasLogin: proxy.credentials !== undefined };
}

/** One line, the URL; readable by its owner alone, since there may be a password in it. */
function proxyFile(folder: DataFolder): string {
  return path.join(folder.root, "proxy");
}
