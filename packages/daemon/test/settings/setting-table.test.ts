import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { defaultConfigFile } from "../../src/settings/config-file.ts";
import { SETTING_KEYS, SETTINGS, type Setting } from "../../src/settings/setting-table.ts";
import type { SettingEntry } from "../../src/settings/settings.ts";

type Value = SettingEntry["value"];

/** Would catch: a default that its own setting refuses, or that cannot be written back as it is shown. */
test("every default fits, also as text", () => {
  for (const key of SETTING_KEYS) {
    const { kind, default: usual } = SETTINGS[key] as Setting<Value>;
    assert.equal(kind.fromText(usual === null ? "none" : String(usual)), usual, key);
    if (usual !== null) assert.equal(kind.fromValue(usual), usual, key);
  }
});

test("keys have a table and a name, and variables of the environment are told apart", () => {
  for (const key of SETTING_KEYS) assert.match(key, /^[a-z]+\.[a-z-]+$/);
  const variables = SETTING_KEYS.map((key) => SETTINGS[key].environment);
  assert.equal(new Set(variables).size, variables.length);
  for (const variable of variables) assert.match(variable, /^BACKROOM_[A-Z_]+$/);
});

test("the file lies where the platform keeps such files", () => {
  const xdg = defaultConfigFile({ XDG_CONFIG_HOME: "/x" }, "linux");
  assert.equal(xdg, path.join("/x", "backroom", "config.toml"));
  assert.ok(
    defaultConfigFile({ XDG_CONFIG_HOME: "" }, "linux").endsWith(
      path.join(".config", "backroom", "config.toml"),
    ),
  );
  assert.equal(defaultConfigFile({ APPDATA: "/r" }, "win32"), path.join("/r", "Backroom", "config.toml"));
  assert.ok(
    defaultConfigFile({}, "darwin").endsWith(
      path.join("Library", "Application Support", "Backroom", "config.toml"),
    ),
  );
});
