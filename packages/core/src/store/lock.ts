import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { BackroomError } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";
import { isRunning } from "../base/is-running.ts";
import { withStoreErrors } from "./store-error.ts";

/** Held until `release`, or until the process is gone. */
export interface Lock {
  release(): Promise<void>;
}

/** What E_LOCKED says about who is in the way. */
interface Busy {
  readonly what: string;
  readonly why?: string;
  readonly fix?: string;
}

const BUSY_FOLDER: Busy = { what: "the data folder is in use" };

/** Locks that this process holds: its own number in a file says nothing, since a restarted container gets the same number again. */
const heldHere = new Set<string>();

/**
 * Takes the lock file `file`, so that no second process writes the same folder. It holds the number of the process and when that was
 * started; the lock of a process that is gone is taken over. Raises E_LOCKED while another lives, with `busy` as what it says;
 * E_DISK_FULL or E_STORE.
 */
export async function acquireLock(file: string, busy: Busy = BUSY_FOLDER): Promise<Lock> {
  if (heldHere.has(file)) throw locked(busy);
  heldHere.add(file);
  try {
    const own = `${process.pid} ${await startOf(process.pid)}\n`;
    await withStoreErrors("the lock of the data folder could not be taken", () => take(file, own, busy));
    return { release: () => release(file, own) };
  } catch (error) {
    heldHere.delete(file);
    throw error;
  }
}

async function take(file: string, own: string, busy: Busy): Promise<void> {
  // Written aside and linked, so that nobody ever reads a lock without its content.
  const aside = `${file}.${process.pid}`;
  await writeFile(aside, own, { mode: 0o600 });
  try {
    if (await linked(aside, file)) return;
    const found = await contentOf(file);
    if (found !== undefined && (await isAlive(found))) throw locked(busy);
    await setAside(file, found, busy);
    if (!(await linked(aside, file))) throw locked(busy);
  } finally {
    await rm(aside, { force: true });
  }
}

/** Moves a dead process's lock away, and back if another process was quicker and the lock moved is its living one. */
async function setAside(file: string, found: string | undefined, busy: Busy): Promise<void> {
  const stale = `${file}.stale.${process.pid}`;
  try {
    await rename(file, stale);
    if ((await contentOf(stale)) !== found) {
      await linked(stale, file);
      throw locked(busy);
    }
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  } finally {
    await rm(stale, { force: true });
  }
}

async function release(file: string, own: string): Promise<void> {
  if (!heldHere.delete(file)) return;
  await withStoreErrors("the lock of the data folder could not be given back", async () => {
    if ((await contentOf(file)) === own) await rm(file, { force: true });
  });
}

/** False when `file` is there already. */
async function linked(from: string, file: string): Promise<boolean> {
  try {
    await link(from, file);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function contentOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "latin1");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function isAlive(content: string): Promise<boolean> {
  const [pidText = "", start = ""] = content.trim().split(" ");
  const pid = Number(pidText);
  // What holds no number is no lock of ours; 0 and negative numbers would ask about groups of processes.
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  if (!isRunning(pid)) return false;
  const startNow = await startOf(pid);
  return start === "0" || startNow === "0" || startNow === start;
}

/**
 * When a process was started, in ticks since the machine was: process numbers are used again, a number with its start is not (until the
 * next boot). "0" where the system does not say.
 */
async function startOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    // The second field is the program's name in parentheses and may hold anything; the start is the 22nd.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "0";
  } catch {
    return "0";
  }
}

function locked({ what, ...more }: Busy): BackroomError {
  return new BackroomError("E_LOCKED", what, more);
}
