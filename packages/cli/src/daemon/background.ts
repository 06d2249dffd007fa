import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { logFile } from "@backroom/daemon/process/daemon-files.ts";
import { ownCommand } from "../own-command.ts";
import type { Session } from "../session.ts";
import { warningsOf } from "./ready-line.ts";

/** Reading a catalogue of thousands of shares on a slow disk takes seconds. */
const START_MS = 60_000;

/**
 * Starts a daemon that outlives this process, and resolves once it listens, with what it warns of. What it prints goes into its log. Raises what it says when it does not
 * start (E_LOCKED where one runs already), E_DAEMON where it says nothing.
 */
export async function startInBackground({
  dataFolder,
  proxy,
  lan,
}: Pick<Session, "dataFolder" | "proxy" | "lan">): Promise<readonly string[]> {
  const { root } = await openDataFolder(dataFolder);
  const [program = "", ...own] = ownCommand();
  const args = [
    ...own,
    "--quiet",
    "--data",
    root,
    ...(lan ? ["--lan"] : []),
    "daemon",
    "run",
    "--ready-fd",
    "3",
  ];
  const log = openLog(root);
  try {
    const child = spawn(program, args, {
      detached: true,
      windowsHide: true,
      // It shall not keep a folder of the person's from being removed or unmounted.
      cwd: root,
      stdio: ["ignore", log, log, "pipe"],
      // A proxy's URL may hold a password, which arguments would show to everybody on this computer.
      env: { ...process.env, ...(proxy === undefined ? {} : { BACKROOM_PROXY: proxy }) },
    });
    const failed = new Promise<never>((_, reject) => {
      child.once("error", (cause) => {
        reject(new BackroomError("E_DAEMON", "the daemon could not be started", { cause }));
      });
    });
    const said = child.stdio[3] as Readable;
    const late = setTimeout(() => said.destroy(), START_MS);
    try {
      return warningsOf(await Promise.race([text(said).catch(() => ""), failed]));
    } finally {
      clearTimeout(late);
      child.unref();
    }
  } finally {
    closeSync(log);
  }
}

function openLog(root: string): number {
  try {
    return openSync(logFile(root), "a", 0o600);
  } catch (cause) {
    throw new BackroomError("E_FILE", `the log in ${path.dirname(logFile(root))} cannot be opened`, {
      cause,
    });
  }
}
