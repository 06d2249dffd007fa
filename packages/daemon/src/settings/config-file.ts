import { mkdir, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { parse, TomlError } from "smol-toml";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { readStateFile, writeStateFile } from "@backroom/core/store/state-file.ts";
import { withStoreErrors } from "@backroom/core/store/store-error.ts";
import { assignments, editToml, flatten, type TomlScalar } from "./toml-edit.ts";

/** A hundred times what all settings with a comment each take. */
const MOST_BYTES = 256 * 1024;

/** What stands in the file, by key. */
export interface ConfigContent {
  readonly text: string;
  readonly values: ReadonlyMap<string, { readonly value: unknown; readonly line: number | undefined }>;
}

/** The platform's custom: XDG on Linux, Application Support on macOS, the roaming AppData on Windows. */
export function defaultConfigFile(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const home = homedir();
  if (platform === "win32") {
    return path.join(env["APPDATA"] ?? path.join(home, "AppData", "Roaming"), "Backroom", "config.toml");
  }
  if (platform === "darwin") {
    return path.join(home, "Library", "Application Support", "Backroom", "config.toml");
  }
  return path.join(env["XDG_CONFIG_HOME"] || path.join(home, ".config"), "backroom", "config.toml");
}

/** Empty where there is no file. Raises E_STORE; E_SETTING for what is no TOML. */
export async function readConfig(file: string): Promise<ConfigContent> {
  const text = (await readStateFile(file, MOST_BYTES))?.toString("utf8") ?? "";
  const found = flatten(parseConfig(text));
  const lines = new Map(assignments(text).map((one) => [one.key, one.line]));
  return {
    text,
    values: new Map([...found].map(([key, value]) => [key, { value, line: lines.get(key) }])),
  };
}

/**
 * Sets one key, or takes it out, and leaves all else as it stands there. The file is replaced whole and is for its owner alone; a link to it stays
 * a link. Raises E_STORE and E_DISK_FULL; E_SETTING where the place of the key is such that a person has to edit it.
 */
export async function writeConfig(file: string, key: string, value: TomlScalar | undefined): Promise<void> {
  const { text } = await readConfig(file);
  const edited = editToml(text, key, value);
  if (edited === undefined) {
    throw new BackroomError(
      "E_SETTING",
      `${key} stands in the settings file in a way that is not edited by itself`,
      {
        why: "its table is written in one line, or as a list, where a change could disturb what stands beside it",
        fix: "change it there by hand; backroom config path says where the file is",
      },
    );
  }
  if (edited === text) return;
  await withStoreErrors("the folder of the settings file could not be made", async () => {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  });
  await writeStateFile(await realpath(file).catch(() => file), Buffer.from(edited));
}

function parseConfig(text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new BackroomError("E_SETTING", `line ${error.line} of the settings file is no TOML`, {
      why: "a line is a comment after #, a [table], or key = value with text in quotes",
      fix: `look at line ${error.line}, column ${error.column}; backroom config path says where the file is`,
    });
  }
}
