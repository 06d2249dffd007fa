import path from "node:path";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { AGENT_LABEL, renderLaunchAgent } from "./launchd.ts";
import type { ServiceSpec } from "./service-spec.ts";
import { renderSystemdUnit, UNIT_NAME } from "./systemd.ts";
import { renderTask, TASK_NAME } from "./task-scheduler.ts";

/** A program of the system with its arguments. One that `mayFail` undoes what may not be there. */
interface Step {
  readonly command: readonly string[];
  readonly mayFail: boolean;
}

/** All that installing and removing the service does on one platform. */
export interface ServicePlan {
  readonly file: string;
  readonly text: string;
  /** The file's bytes: Windows takes UTF-16. */
  readonly bytes: Buffer;
  readonly install: readonly Step[];
  /** Before the file is deleted, and after. */
  readonly remove: readonly Step[];
  readonly removed: readonly Step[];
  /** What a person may want to know once it is installed. */
  readonly hint: string;
}

/** Who asks, and where. */
export interface Person {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly userName: string;
  /** Of the person on Linux and macOS. */
  readonly uid: number;
}

/** Nothing is touched. `program` is how Backroom itself is started. Raises E_SERVICE on a platform whose manager is not known. */
export function planService(
  person: Person,
  program: readonly string[],
  folders: Pick<ServiceSpec, "dataFolder" | "writableFolders">,
): ServicePlan {
  const command = (last: string): string[] => [...program, "--data", folders.dataFolder, "daemon", last];
  if (person.platform === "linux") return systemdPlan(person, { ...folders, command: command("run") });
  if (person.platform === "darwin") return launchdPlan(person, { ...folders, command: command("run") });
  // What a task starts ends with the host that keeps its window away, so that starts the daemon in the background, and ends.
  if (person.platform === "win32") return taskPlan(person, { ...folders, command: command("start") });
  throw new BackroomError("E_SERVICE", `on ${person.platform} no manager of services is known`, {
    fix: "start the daemon by what your system has for it: backroom daemon run",
  });
}

function systemdPlan({ env, home }: Person, spec: ServiceSpec): ServicePlan {
  const given = env["XDG_CONFIG_HOME"] ?? "";
  const config = path.posix.isAbsolute(given) ? given : path.posix.join(home, ".config");
  const systemctl = (...args: string[]): string[] => ["systemctl", "--user", ...args];
  const text = renderSystemdUnit(spec);
  return {
    file: path.posix.join(config, "systemd/user", UNIT_NAME),
    text,
    bytes: Buffer.from(text),
    install: [
      must(systemctl("daemon-reload")),
      must(systemctl("enable", UNIT_NAME)),
      // Also for one that runs already as the unit was before.
      must(systemctl("restart", UNIT_NAME)),
    ],
    remove: [may(systemctl("disable", "--now", UNIT_NAME))],
    removed: [may(systemctl("daemon-reload"))],
    hint: "It runs while you are logged in. To run it from the start of the computer on: loginctl enable-linger",
  };
}

function launchdPlan({ home, uid }: Person, spec: ServiceSpec): ServicePlan {
  const file = path.posix.join(home, "Library/LaunchAgents", `${AGENT_LABEL}.plist`);
  const text = renderLaunchAgent(spec);
  const unload = may(["launchctl", "bootout", `gui/${uid}/${AGENT_LABEL}`]);
  return {
    file,
    text,
    bytes: Buffer.from(text),
    install: [unload, must(["launchctl", "bootstrap", `gui/${uid}`, file])],
    remove: [unload],
    removed: [],
    hint: "It runs while you are logged in.",
  };
}

function taskPlan({ env, userName }: Person, spec: ServiceSpec): ServicePlan {
  const domain = env["USERDOMAIN"] ?? "";
  const file = path.win32.join(spec.dataFolder, "service-task.xml");
  const text = renderTask(spec, domain === "" ? userName : `${domain}\\${userName}`);
  return {
    file,
    text,
    bytes: Buffer.from(`\ufeff${text}`, "utf16le"),
    install: [
      must(["schtasks", "/Create", "/TN", TASK_NAME, "/XML", file, "/F"]),
      must(["schtasks", "/Run", "/TN", TASK_NAME]),
    ],
    remove: [may(["schtasks", "/Delete", "/TN", TASK_NAME, "/F"])],
    removed: [],
    hint: "It starts when you log in, and runs while you are logged in. Removing the task lets the daemon run on: backroom daemon stop",
  };
}

function must(command: readonly string[]): Step {
  return { command, mayFail: false };
}

function may(command: readonly string[]): Step {
  return { command, mayFail: true };
}
