import type { Answer } from "@backroom/api/routes.ts";

type Entry = Answer<"listSettings">["settings"][number];

/**
 * The daemon's settings: flag > environment > file > default, each known by a key such as `downloads.folder`. Obligations:
 * - `get` is typed by the table of settings, and never raises.
 * - `set` changes the file, keeps what else stands in it, raises E_SETTING for an unknown key (naming the nearest) or a value that does not fit.
 * - `onChange` is called after the value in force changed.
 */
export interface Settings {
  get<Key extends keyof SettingValues>(key: Key): SettingValues[Key];
  entries(): Entry[];
  set(key: string, value: Entry["value"]): Promise<Entry>;
  onChange(listener: (key: keyof SettingValues) => void): void;
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
  readonly "network.proxy": string | null;
  readonly "network.lan": boolean;
  readonly "log.level": "debug" | "info" | "warn";
  readonly "risk.accepted": boolean;
}
