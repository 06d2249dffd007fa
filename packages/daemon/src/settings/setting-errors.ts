import { BackroomError } from "@backroom/core/base/errors.ts";
import { nearest } from "./nearest.ts";
import { SETTING_KEYS } from "./setting-table.ts";
import type { SettingProblem } from "./settings.ts";

/** What was decided elsewhere, with a consent that is asked for there, and is looked for here. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["relay.mode", "backroom relay auto, on or off"],
  ["relay.gate", "backroom relay --gate or --no-gate"],
]);

/** Whether the value was wrong, never which it was: it may be a password that went astray. */
export function misfit(where: string, expects: string): BackroomError {
  return new BackroomError("E_SETTING", `the value of ${where} does not fit`, {
    why: `it is ${expects}`,
    fix: "correct it there; backroom config list shows every setting with what it may be",
  });
}

export function unknownKey(key: string): BackroomError {
  return new BackroomError("E_SETTING", `there is no setting ${showable(key)}`, {
    why: hintFor(key),
    fix: "see all of them with: backroom config list",
  });
}

export function hintFor(key: string): string {
  const command = ELSEWHERE.get(key);
  if (command !== undefined) return `that is asked for and kept by: ${command}`;
  const near = nearest(key, SETTING_KEYS);
  return near === undefined ? "none has a name like it" : `perhaps ${near} is meant`;
}

/** A warning about something in the settings file. */
export function problemText({ line, text }: SettingProblem): string {
  return line === null ? text : `line ${line} of the settings file: ${text}`;
}

/** A key as somebody wrote it, short enough for a sentence. */
export function showable(key: string): string {
  return JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}…` : key);
}
