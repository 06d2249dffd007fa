import { isBackroomError } from "@backroom/core/base/errors.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { openSettings } from "@backroom/daemon/settings/open-settings.ts";
import type { Session } from "../session.ts";

/** What was decided about short memory. */
interface Risk {
  readonly isAccepted: boolean;
  /** Remembers it, and tells it what this process starts. */
  accept(): Promise<void>;
}

/** Raises E_SETTING, E_STORE. */
export async function openRisk({ dataFolder, env, terminal }: Session): Promise<Risk> {
  const folder = await openDataFolder(dataFolder);
  const settings = await openSettings({ folder, env, lenient: true });
  return {
    isAccepted: settings.get("risk.accepted"),
    async accept() {
      env["BACKROOM_RISK_ACCEPTED"] = "true";
      try {
        await settings.set("risk.accepted", true);
      } catch (error) {
        // A container whose file system is read-only: it holds for this run.
        if (!isBackroomError(error)) throw error;
        terminal.warn(`this cannot be remembered: ${error.message}`);
      }
    },
  };
}
