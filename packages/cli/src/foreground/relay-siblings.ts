import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { defaultDataFolder } from "@backroom/core/node/data-folder.ts";
import { joinNetwork } from "@backroom/core/node/networks.ts";
import type { RelayMode } from "@backroom/core/node/relay-setting.ts";
import { ownCommand } from "../own-command.ts";
import type { Session } from "../session.ts";

export interface SiblingOptions {
  /** How many besides the first relay. */
  readonly count: number;
  readonly mode: RelayMode;
  readonly gate: boolean;
  readonly hosts: readonly string[] | undefined;
  /** The first relay's; the others take the following ones. 0 takes free ones. */
  readonly port: number;
  /** Through which they join: the first relay is in it. */
  readonly invite: string;
}

/**
 * Further relays of this computer, each a process of its own with keys and a port of its own, for computers with more cores than one relay uses. A circuit stays
 * with one of them, so a frame never changes threads. Their folders are below `relays/` in the data folder, so they are the same after a restart.
 * Resolves when all have ended, after `session.signal` was aborted or by themselves.
 */
export async function runSiblings(options: SiblingOptions, session: Session): Promise<void> {
  const { terminal, signal } = session;
  const root = session.dataFolder ?? defaultDataFolder(process.env, process.platform);
  const running: ChildProcess[] = [];
  const ends: Promise<void>[] = [];
  // First of all: when a later one cannot be started, those before it still run. No signal: one that reached all of them would be followed by a second, which ends at once.
  const stop = (): void => {
    for (const child of running) if (child.connected) child.disconnect();
  };
  signal.addEventListener("abort", stop, { once: true });
  for (let number = 2; number <= options.count + 1 && !signal.aborted; number++) {
    const dataFolder = path.join(root, "relays", String(number));
    await joinNetwork({ dataFolder, invite: options.invite });
    if (signal.aborted) break;
    const child = startSibling(number, dataFolder, options, session);
    running.push(child);
    ends.push(
      once(child, "exit").then(([code]) => {
        if (!signal.aborted) terminal.warn(`relay ${number} ended (${code ?? "killed"}); the others go on`);
      }),
    );
  }
  await Promise.all(ends);
}

function startSibling(
  number: number,
  dataFolder: string,
  options: SiblingOptions,
  { terminal, proxy, lan }: Session,
): ChildProcess {
  const port = options.port === 0 ? 0 : options.port + number - 1;
  const [program = "", ...own] = ownCommand();
  const args = ["relay", options.mode, options.gate ? "--gate" : "--no-gate", "--port", String(port)];
  const child = spawn(
    program,
    [
      ...own,
      "--json",
      "--data",
      dataFolder,
      ...(lan ? ["--lan"] : []),
      ...args,
      ...(options.hosts === undefined ? [] : ["--host", ...options.hosts]),
    ],
    {
      // By the channel's end it learns that it is to stop, or that this process is gone.
      stdio: ["ignore", "pipe", "ignore", "ipc"],
      // A proxy's URL may hold a password, which arguments would show to everybody on this computer.
      env: { ...process.env, ...(proxy === undefined ? {} : { BACKROOM_PROXY: proxy }) },
    },
  );
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
    const { event, port: bound, nodeKey, code } = JSON.parse(line) as Record<string, unknown>;
    if (event === "ready") {
      terminal.note(`Relay ${number} runs on port ${Number(bound)}.`);
      terminal.event("sibling", { number, port: bound, nodeKey });
    } else if (event === "error") {
      terminal.warn(`relay ${number} could not go on (${String(code)})`);
    }
  });
  return child;
}
