import type { Answer } from "@backroom/api/routes.ts";

export type SettingEntry = Answer<"listSettings">["settings"][number];
export type SettingProblem = Answer<"listSettings">["problems"][number];
export type SettingKey = keyof SettingValues;

/**
 * The daemon's settings: flag > environment > file > default, each known by a key such as `downloads.folder`. Obligations:
 * - `get` is typed by the table of settings, and never raises.
 * - `set` changes the file, keeps what else stands in it, raises E_SETTING for an unknown key (naming the nearest) or a value that does not fit;
 *   null takes the key out of the file. What somebody changed there by hand takes hold with it.
 * - `onChange` is called after the value in force changed.
 */
export interface Settings {
  /** The settings file, which need not exist. */
  readonly file: string;
  get<Key extends SettingKey>(key: Key): SettingValues[Key];
  entries(): SettingEntry[];
  /** What in the file is not taken, and why. */
  problems(): readonly SettingProblem[];
  set(key: string, value: SettingEntry["value"]): Promise<SettingEntry>;
  onChange(listener: (key: SettingKey) => void): void;
}

/** Every setting with the type of its value. Rates are bytes a second; null is no limit, or none. */
export interface SettingValues {
  readonly "downloads.folder": string;
  readonly "downloads.active": number;
  readonly "page.enabled": boolean;
  readonly "page.host": string;
  readonly "page.port": number;
  readonly "page.hosts": string;
  readonly "page.tls-cert": string | null;
  readonly "page.tls-key": string | null;
  readonly "page.behind-proxy": boolean;
  readonly "content.port": number;
  readonly "relay.port": number;
  readonly "relay.hosts": string;
  readonly "network.proxy": string | null;
  readonly "network.lan": boolean;
  readonly "log.level": "debug" | "info" | "warn";
  readonly "risk.accepted": boolean;
}
