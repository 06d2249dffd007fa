import type { Handlers } from "@backroom/api/routes.ts";
import type { Settings } from "./settings.ts";

/** The settings' part of the API. */
export function settingHandlers(settings: Settings): Pick<Handlers, "listSettings" | "setSetting"> {
  return {
    listSettings: async () => ({
      file: settings.file,
      settings: settings.entries(),
      problems: [...settings.problems()],
    }),
    setSetting: ({ key, value }) => settings.set(key, value),
  };
}
