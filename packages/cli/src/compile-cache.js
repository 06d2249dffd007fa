import { mkdirSync, statSync } from "node:fs";
import { enableCompileCache, flushCompileCache } from "node:module";
import { homedir } from "node:os";
import path from "node:path";

/** By then a command that runs for long has loaded what it needs; one that is killed would keep nothing otherwise. */
const FLUSH_MS = 5_000;

/**
 * Lets Node keep what it compiles between runs: a third of a second of every start. In a folder that is this user's alone, since whoever may write there decides
 * what runs. A start without it is as good, only slower, and larger from source (main.js says why).
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {NodeJS.Platform} platform
 */
export function keepCompiledCode(env, platform) {
  try {
    const folder = cacheFolder(env, platform);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOwn(folder)) return;
    enableCompileCache(folder);
  } catch {
    return;
  }
  setTimeout(flushCompileCache, FLUSH_MS).unref();
}

/**
 * It may have been there: made by somebody else, or, under `sudo`, a less mighty user's. Windows has no such numbers; its folder is below the user's own.
 *
 * @param {string} folder
 */
function isOwn(folder) {
  const { uid, mode } = statSync(folder);
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
}

/**
 * The platform's custom: XDG on Linux, Caches on macOS, local AppData on Windows. Raises where the user has no home.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {NodeJS.Platform} platform
 * @returns {string}
 */
export function cacheFolder(env, platform) {
  const home = homedir();
  if (platform === "win32") {
    return path.join(env["LOCALAPPDATA"] ?? path.join(home, "AppData", "Local"), "Backroom", "Cache");
  }
  if (platform === "darwin") return path.join(home, "Library", "Caches", "Backroom");
  const given = env["XDG_CACHE_HOME"] ?? "";
  // By the specification; what lies below the working folder may be anybody's.
  return path.join(path.isAbsolute(given) ? given : path.join(home, ".cache"), "backroom");
}
