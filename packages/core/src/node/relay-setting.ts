import path from "node:path";
import { BackroomError } from "../base/errors.ts";
import { readStateFile, writeStateFile } from "../store/state-file.ts";
import { openDataFolder, type DataFolder } from "./data-folder.ts";

/**
 * auto: finds out whether others can reach this computer, and helps as a guest where they cannot. on: a relay at its own or given addresses,
 * without asking anybody. off: none.
 */
const RELAY_MODES = ["auto", "on", "off"] as const;
export type RelayMode = (typeof RELAY_MODES)[number];

/** What the person has decided so far; being a gate is a consent of its own. */
export interface RelaySetting {
  readonly relay?: RelayMode;
  readonly gate?: boolean;
}

interface Where {
  readonly dataFolder: string | undefined;
}

const MOST_BYTES = 256;

/** What was decided on this computer. Raises E_STORE, also for a file that says something else. */
export async function readRelaySetting({ dataFolder }: Where): Promise<RelaySetting> {
  const bytes = await readStateFile(settingFile(await openDataFolder(dataFolder)), MOST_BYTES);
  return bytes === undefined ? {} : parseSetting(bytes.toString("utf8"));
}

/** Keeps what was decided for all runs from now on. Raises E_STORE. */
export async function saveRelaySetting({ dataFolder }: Where, setting: RelaySetting): Promise<void> {
  const text = `${JSON.stringify({ relay: setting.relay, gate: setting.gate })}\n`;
  await writeStateFile(settingFile(await openDataFolder(dataFolder)), Buffer.from(text));
}

/** Raises E_STORE: a consent is not guessed. */
function parseSetting(text: string): RelaySetting {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) throw new SyntaxError("no object");
    const { relay, gate, ...others } = value as { readonly relay?: unknown; readonly gate?: unknown };
    const mode = RELAY_MODES.find((one) => one === relay);
    const known = Object.keys(others).length === 0 && (mode !== undefined || relay === undefined);
    if (known && (gate === undefined || typeof gate === "boolean")) {
      return { ...(mode === undefined ? {} : { relay: mode }), ...(gate === undefined ? {} : { gate }) };
    }
  } catch {
    // No JSON, or none of an object: damaged alike.
  }
  throw new BackroomError("E_STORE", "the file with this computer's relay setting is damaged", {
    fix: "say again what it is to be: backroom relay auto, on or off, with --gate or --no-gate",
  });
}

function settingFile(folder: DataFolder): string {
  return path.join(folder.relay, "setting");
}
