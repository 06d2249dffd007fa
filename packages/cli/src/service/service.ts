import { execFile } from "node:child_process";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { openSettings } from "@backroom/daemon/settings/open-settings.ts";
import { findDaemon } from "../daemon-client.ts";
import { ownCommand } from "../own-command.ts";
import type { Session } from "../session.ts";
import { planService, type ServicePlan } from "./service-plan.ts";

const run = promisify(execFile);

/** Writes the file and has the system take it. Raises E_SERVICE where that fails, E_LOCKED where a daemon runs that the system did not start. */
export async function installService(
  session: Session,
  isPrint: boolean,
  allowWrite: readonly string[],
): Promise<void> {
  const { terminal } = session;
  const plan = await planHere(session, allowWrite);
  if (isPrint) {
    terminal.result(plan.text.trimEnd(), { file: plan.file, text: plan.text, installed: false });
    return;
  }
  if (
    !(await exists(plan.file)) &&
    (await findDaemon({ ...session, proxy: undefined, lan: false })) !== undefined
  ) {
    throw new BackroomError("E_LOCKED", "a daemon runs already for this data folder", {
      why: "the service could not start another one",
      fix: "stop it first: backroom daemon stop",
    });
  }
  await mkdir(path.dirname(plan.file), { recursive: true });
  await writeFile(plan.file, plan.bytes, { mode: 0o600 });
  terminal.note(`Wrote ${plan.file}`);
  await carryOut(plan.install, session);
  terminal.note(`The daemon runs as a service. ${plan.hint}`);
  terminal.result("", { file: plan.file, text: plan.text, installed: true });
}

/** Undoes what `installService` did; nothing to undo is no failure. */
export async function removeService(session: Session): Promise<void> {
  const { terminal } = session;
  const plan = await planHere(session, []);
  const was = await exists(plan.file);
  if (was) {
    await carryOut(plan.remove, session);
    await rm(plan.file, { force: true });
    await carryOut(plan.removed, session);
  }
  terminal.note(was ? `Removed ${plan.file}` : "No service was installed.");
  terminal.result("", { file: plan.file, removed: was });
}

async function planHere(session: Session, allowWrite: readonly string[]): Promise<ServicePlan> {
  const folder = await openDataFolder(session.dataFolder);
  const settings = await openSettings({ folder, env: process.env, lenient: true });
  const { username, uid } = userInfo();
  return planService(
    { platform: process.platform, env: process.env, home: homedir(), userName: username, uid },
    ownCommand(),
    {
      dataFolder: folder.root,
      writableFolders: [settings.get("downloads.folder"), ...allowWrite.map((one) => path.resolve(one))],
    },
  );
}

async function carryOut(steps: ServicePlan["install"], { terminal }: Session): Promise<void> {
  for (const { command, mayFail } of steps) {
    const [program = "", ...args] = command;
    try {
      await run(program, args, { windowsHide: true });
      terminal.note(`Ran ${command.join(" ")}`);
    } catch (cause) {
      if (mayFail) continue;
      throw new BackroomError("E_SERVICE", `it failed to run: ${command.join(" ")}`, { cause });
    }
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
