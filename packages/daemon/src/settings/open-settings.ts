import type { DataFolder } from "@backroom/core/node/data-folder.ts";
import { defaultConfigFile, readConfig, writeConfig, type ConfigContent } from "./config-file.ts";
import { memberSetting } from "./member-settings.ts";
import { hintFor, misfit, showable, unknownKey } from "./setting-errors.ts";
import { isSettingKey, SETTING_KEYS, SETTINGS, type Setting } from "./setting-table.ts";
import type { SettingEntry, SettingKey, SettingProblem, Settings, SettingValues } from "./settings.ts";

type Value = SettingEntry["value"];

export interface SettingsOptions {
  /** Of the member whose proxy and local network are kept there. */
  readonly folder: DataFolder;
  readonly env: NodeJS.ProcessEnv;
  /** What the command line said for this run; text is read as in the environment. */
  readonly flags?: Readonly<Partial<Record<SettingKey, Value | undefined>>>;
  /** As given with --config. */
  readonly configFile?: string | undefined;
  readonly platform?: NodeJS.Platform;
  /** For whoever is here to mend the file: a value that does not fit is among the problems, and its default holds. */
  readonly lenient?: boolean;
}

/** A value in force, and why. */
interface InForce {
  readonly value: Value;
  readonly origin: SettingEntry["origin"];
}

/** Reads all settings. Raises E_SETTING, with the line, for what does not fit; E_STORE; E_PROXY for a kept proxy that is damaged. */
export async function openSettings(options: SettingsOptions): Promise<Settings> {
  const { folder, env, platform = process.platform, lenient = false } = options;
  const flags: Readonly<Record<string, Value | undefined>> = options.flags ?? {};
  const file = options.configFile ?? (env["BACKROOM_CONFIG"] || defaultConfigFile(env, platform));
  const listeners: ((key: SettingKey) => void)[] = [];
  let inForce: ReadonlyMap<SettingKey, InForce> = new Map();
  let problems: readonly SettingProblem[] = [];
  let turn: Promise<unknown> = Promise.resolve();

  async function load(): Promise<void> {
    const content = await readConfig(file);
    const found = problemsOf(content);
    const worst = found.find(({ isError }) => isError);
    // Later on, a line that somebody broke must not undo what was asked for elsewhere: its last value stays.
    if (worst !== undefined && !lenient && inForce.size === 0) throw misfit(placeOf(worst), worst.why);
    const next = new Map<SettingKey, InForce>();
    for (const key of SETTING_KEYS) next.set(key, await valueOf(key, content));
    const before = inForce;
    inForce = next;
    problems = found.map(({ key, line, text }) => ({ key, line, text }));
    if (before.size === 0) return;
    for (const key of SETTING_KEYS) {
      if (before.get(key)?.value === next.get(key)?.value) continue;
      for (const listener of listeners) listener(key);
    }
  }

  async function valueOf(key: SettingKey, content: ConfigContent): Promise<InForce> {
    const setting = SETTINGS[key] as Setting<Value>;
    const flag = flags[key];
    if (flag !== undefined) return { value: fit(key, flag, `the option for ${key}`), origin: "flag" };
    const text = env[setting.environment];
    if (text !== undefined && text !== "") {
      return { value: fit(key, text, `the environment's ${setting.environment}`), origin: "environment" };
    }
    const member = memberSetting(key);
    const kept =
      member === undefined
        ? setting.kind.fromValue(content.values.get(key)?.value)
        : await member.read(folder);
    if (kept !== undefined) return { value: kept, origin: "file" };
    const before = content.values.has(key) ? inForce.get(key) : undefined;
    return before ?? { value: setting.default, origin: "default" };
  }

  const entry = (key: SettingKey): SettingEntry => {
    const {
      kind,
      shown,
      environment,
      description,
      takesHold,
      default: usual,
    } = SETTINGS[key] as Setting<Value>;
    const { value, origin } = inForce.get(key) as InForce;
    return {
      key,
      value: shown?.(value) ?? value,
      origin,
      default: usual,
      expects: kind.expects,
      environment,
      description,
      takesHold,
    };
  };

  async function change(key: string, value: Value): Promise<SettingEntry> {
    if (!isSettingKey(key)) throw unknownKey(key);
    const wanted = value === null ? undefined : (fit(key, value, key) ?? undefined);
    const member = memberSetting(key);
    if (member === undefined) await writeConfig(file, key, wanted);
    else await member.write(folder, wanted);
    await load();
    return entry(key);
  }

  await load();
  return {
    file,
    get: (key) => (inForce.get(key) as InForce).value as SettingValues[typeof key],
    entries: () => SETTING_KEYS.map(entry),
    problems: () => problems,
    set(key, value) {
      // One after the other: each reads the file, changes it and writes it.
      const done = turn.then(() => change(key, value));
      turn = done.catch(() => {});
      return done;
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

interface Found extends SettingProblem {
  readonly why: string;
  /** Whether to go on would mean to do something else than the person asked for. */
  readonly isError: boolean;
}

function problemsOf({ values }: ConfigContent): Found[] {
  return [...values].flatMap(([key, { value, line = null }]): Found | Found[] => {
    if (!isSettingKey(key)) {
      const why = hintFor(key);
      const text = `${showable(key)} is no setting; ${why}`;
      return { key, line, why, text, isError: false };
    }
    if (memberSetting(key) !== undefined) {
      const why = `kept with the member's keys, so that every run goes by it: backroom config set ${key} …`;
      return { key, line, why, text: `${key} has no effect here; it is ${why}`, isError: true };
    }
    const { kind } = SETTINGS[key];
    if (kind.fromValue(value) !== undefined) return [];
    const { expects } = kind;
    return { key, line, why: expects, text: `${key} does not fit: it is ${expects}`, isError: true };
  });
}

function placeOf({ key, line }: SettingProblem): string {
  return line === null ? `${key} in the settings file` : `${key} in line ${line} of the settings file`;
}

/** Raises E_SETTING, which names `where`. */
function fit(key: SettingKey, value: Value, where: string): Value {
  const { kind } = SETTINGS[key] as Setting<Value>;
  const fits = typeof value === "string" ? kind.fromText(value) : kind.fromValue(value);
  if (fits === undefined) throw misfit(where, kind.expects);
  return fits;
}
