import type { Answer } from "@backroom/api/routes.ts";
import { problemText, unknownKey } from "@backroom/daemon/settings/setting-errors.ts";
import type { Result } from "../contract.ts";
import type { Session } from "../session.ts";
import { readProxy } from "../ui/proxy.ts";
import { settingsOf, type SettingsAccess } from "./settings-access.ts";
import { settingLines, valueText } from "./setting-lines.ts";

type Entry = Answer<"setSetting">;

export async function list(session: Session): Promise<void> {
  const { terminal } = session;
  const found = await (await settingsOf(session)).list();
  tellProblems(found, session);
  terminal.result(settingLines(found.settings, terminal).join("\n"), {
    ...found,
  } satisfies Result<"config list">);
}

export async function get(key: string, withOrigin: boolean, session: Session): Promise<void> {
  const access = await settingsOf(session);
  const found = await access.list();
  tellProblems(found, session);
  const entry = found.settings.find((one) => one.key === key) ?? unknown(key);
  const value = valueText(entry.value);
  session.terminal.result(withOrigin ? `${value}\t${entry.origin}` : value, {
    ...entry,
  } satisfies Result<"config get">);
}

export async function set(key: string, value: string, session: Session): Promise<void> {
  const isProxy = key === "network.proxy" && value !== "none";
  await change(key, isProxy ? await readProxy(value) : value, session);
}

export async function unset(key: string, session: Session): Promise<void> {
  await change(key, null, session);
}

export async function path(session: Session): Promise<void> {
  const { file } = await settingsOf(session);
  session.terminal.result(file, { file } satisfies Result<"config path">);
}

async function change(key: string, value: string | null, session: Session): Promise<void> {
  const { terminal } = session;
  const access = await settingsOf(session);
  const entry = await access.set(key, value);
  terminal.note(sentence(entry, value, access));
  terminal.result("", { ...entry } satisfies Result<"config set">);
}

/** What came of it: that it holds, or what holds instead. */
function sentence(entry: Entry, value: string | null, { isRunning }: SettingsAccess): string {
  const { key, origin, environment, takesHold } = entry;
  const now = valueText(entry.value);
  if (origin === "flag" || origin === "environment") {
    const stronger = origin === "flag" ? "the option of this run" : environment;
    return `Kept. For now ${stronger} says otherwise: ${key} is ${now}.`;
  }
  const when = takesHold === "restart" && isRunning ? ", from the daemon's next start" : "";
  return value === null ? `${key} is as it comes: ${now}${when}.` : `${key} is ${now}${when}.`;
}

function tellProblems({ problems }: Answer<"listSettings">, { terminal }: Session): void {
  for (const problem of problems) terminal.warn(problemText(problem));
}

function unknown(key: string): never {
  throw unknownKey(key);
}
