import type { Answer } from "@backroom/api/routes.ts";
import type { Client } from "@backroom/api/client/client.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { Session } from "../session.ts";

/** The settings of a daemon that runs, so that a change takes hold there, or else those in the file. */
export interface SettingsAccess {
  readonly file: string;
  readonly isRunning: boolean;
  list(): Promise<Answer<"listSettings">>;
  set(key: string, value: string | null): Promise<Answer<"setSetting">>;
}

/** Raises E_SETTING, also where the daemon that runs goes by another file than this command was given. */
export async function settingsOf(session: Session): Promise<SettingsAccess> {
  const client = await session.daemon.find();
  return client === undefined ? atRest(session) : running(client, session.env);
}

async function running(client: Client, env: NodeJS.ProcessEnv): Promise<SettingsAccess> {
  const { file } = await client.call("listSettings");
  const given = env["BACKROOM_CONFIG"];
  if (given !== undefined && given !== "" && given !== file) {
    throw new BackroomError("E_SETTING", "the daemon that runs goes by another settings file", {
      why: "it was started with another --config, or without one",
      fix: "leave --config out, or stop the daemon first: backroom daemon stop",
    });
  }
  return {
    file,
    isRunning: true,
    list: () => client.call("listSettings"),
    set: (key, value) => client.call("setSetting", { key, value }),
  };
}

async function atRest(session: Session): Promise<SettingsAccess> {
  const { openDataFolder } = await import("@backroom/core/node/data-folder.ts");
  const { openSettings } = await import("@backroom/daemon/settings/open-settings.ts");
  const settings = await openSettings({
    folder: await openDataFolder(session.dataFolder),
    lenient: true,
    ...givenSettings(session),
  });
  return {
    file: settings.file,
    isRunning: false,
    list: async () => ({
      file: settings.file,
      settings: settings.entries(),
      problems: [...settings.problems()],
    }),
    set: (key, value) => settings.set(key, value),
  };
}

/** What this run was given beyond the file. The proxy has been read by now, where the environment says in which file it is. */
export function givenSettings({ env, proxy, lan }: Pick<Session, "env" | "proxy" | "lan">): {
  readonly env: NodeJS.ProcessEnv;
  readonly flags: { readonly "network.proxy"?: string; readonly "network.lan"?: true };
} {
  const named = env["BACKROOM_PROXY"]?.trim() ?? "";
  const isFromEnvironment = named !== "" && (named === proxy || named === "-" || named.startsWith("@"));
  return {
    env: isFromEnvironment ? { ...env, BACKROOM_PROXY: proxy } : env,
    flags: {
      ...(proxy === undefined || isFromEnvironment ? {} : { "network.proxy": proxy }),
      ...(lan ? { "network.lan": true } : {}),
    },
  };
}
