import { formatProxy } from "@backroom/core/net/proxy.ts";
import type { DataFolder } from "@backroom/core/node/data-folder.ts";
import { keepLan, lanInUse } from "@backroom/core/node/lan-setting.ts";
import { keepProxy, proxyInUse } from "@backroom/core/node/proxy-setting.ts";
import type { SettingKey, SettingValues } from "./settings.ts";

/** A setting that is kept in the data folder and not in the settings file (ADR 24). */
interface MemberSetting<T> {
  /** Undefined where nothing is kept. Raises E_STORE, E_PROXY. */
  read(folder: DataFolder): Promise<T | undefined>;
  write(folder: DataFolder, value: T | undefined): Promise<void>;
}

const PROXY: MemberSetting<string | null> = {
  async read(folder) {
    const proxy = await proxyInUse(folder, undefined);
    return proxy === undefined ? undefined : formatProxy(proxy);
  },
  async write(folder, value) {
    await keepProxy(folder.root, value ?? undefined);
  },
};

const LAN: MemberSetting<boolean> = {
  read: async (folder) => ((await lanInUse(folder, false)) ? true : undefined),
  write: (folder, value) => keepLan(folder.root, value === true),
};

/** Undefined for what stands in the settings file. */
export function memberSetting(key: SettingKey): MemberSetting<SettingValues[SettingKey]> | undefined {
  if (key === "network.proxy") return PROXY;
  if (key === "network.lan") return LAN;
  return undefined;
}
