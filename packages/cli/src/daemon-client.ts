import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type Client } from "@backroom/api/client/client.ts";
import { nodeTransport } from "@backroom/api/client/node-transport.ts";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import { assertDataFolder, defaultDataFolder } from "@backroom/core/node/data-folder.ts";
import { findLocalEndpoint } from "@backroom/daemon/http/local-endpoint.ts";
import type { Session } from "./session.ts";
import type { Terminal } from "./ui/terminal.ts";
import { VERSION } from "./version.ts";

/** One that is being stopped holds its data folder for up to five seconds. */
const STOPPING_MS = 10_000;
const AGAIN_MS = 200;

interface Who extends Pick<Session, "dataFolder" | "proxy" | "lan"> {
  readonly terminal: Pick<Terminal, "note" | "warn">;
}

/** The data folder's path, absolute; it need not be there. */
export function dataFolderOf({ dataFolder }: Pick<Session, "dataFolder">): string {
  return path.resolve(dataFolder ?? defaultDataFolder(process.env, process.platform));
}

/**
 * The daemon of the data folder, or undefined where none runs; none is started. Raises E_STORE for a folder that cannot be one, E_DAEMON for one of another version, and E_PROXY for one that does
 * not use the proxy that this command was given: it would connect to relays past it.
 */
export async function findDaemon(session: Who): Promise<Client | undefined> {
  const root = dataFolderOf(session);
  await assertDataFolder(root);
  const endpoint = await findLocalEndpoint(root, process.platform);
  if (endpoint === undefined) return undefined;
  const client = createClient(nodeTransport(endpoint));
  let version: string;
  try {
    ({ version } = await client.call("status"));
  } catch (error) {
    if (isBackroomError(error, "E_NO_DAEMON")) return undefined;
    throw error;
  }
  assertFits(version);
  await assertSameWay(root, session);
  return client;
}

/** The daemon of the data folder; where none runs, starts one after `check`, and says so. Raises as `findDaemon`, `check` and `startInBackground`. */
export async function ensureDaemon(session: Who, check?: () => Promise<void>): Promise<Client> {
  const found = await findDaemon(session);
  if (found !== undefined) return found;
  await check?.();
  const started = await startDaemon(session);
  session.terminal.note("Started the daemon in the background. To stop it: backroom daemon stop");
  return started;
}

/** Starts a daemon where none runs: one that is just being stopped is waited for, and one that somebody else starts meanwhile is as good. */
export async function startDaemon(session: Who): Promise<Client> {
  const { startInBackground } = await import("./daemon/background.ts");
  const deadlineMs = performance.now() + STOPPING_MS;
  for (;;) {
    try {
      for (const text of await startInBackground(session)) session.terminal.warn(text);
    } catch (error) {
      if (!isBackroomError(error, "E_LOCKED") || performance.now() > deadlineMs) throw error;
    }
    const client = await findDaemon(session);
    if (client !== undefined) return client;
    if (performance.now() > deadlineMs) {
      throw new BackroomError("E_DAEMON", "the daemon was started and is gone again");
    }
    await sleep(AGAIN_MS);
  }
}

/** Versions that differ in their first two numbers may not understand each other. */
function assertFits(version: string): void {
  const [theirs, ours] = [version, VERSION].map((one) => one.split(".").slice(0, 2).join("."));
  if (theirs === ours) return;
  throw new BackroomError("E_DAEMON", `the daemon that runs is version ${version}, and this is ${VERSION}`, {
    why: "Backroom was upgraded, and the daemon is still the one from before",
    fix: "restart it: backroom daemon stop, then run the command again",
  });
}

/** Never past a proxy that was asked for. */
async function assertSameWay(root: string, { proxy, lan, terminal }: Who): Promise<void> {
  if (proxy === undefined && !lan) return;
  const { proxyHash, readRuntimeFile } = await import("@backroom/daemon/process/runtime-file.ts");
  const running = await readRuntimeFile(root);
  if (proxy !== undefined && running?.proxyHash !== proxyHash(proxy)) {
    throw new BackroomError("E_PROXY", "the daemon that runs does not use this proxy", {
      why: "it was started without the proxy or with another one, and connects to relays in its own way",
      fix: "keep the proxy for good: backroom proxy URL; or stop the daemon and run the command again: backroom daemon stop",
    });
  }
  if (lan && running?.lan !== true) {
    terminal.warn(
      "The daemon that runs does not look on the local network. To let it: backroom net lan on, then restart it.",
    );
  }
}
