import { open, rm } from "node:fs/promises";
import { BackroomError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import type { AgeLock } from "../pack/age-header.ts";
import { generateIdentity, type AgeIdentity } from "../pack/age-keys.ts";
import { checkPassword } from "../pack/password.ts";
import { sealPack, type SealProgress, type SealResult } from "../pack/seal.ts";
import { withStoreErrors } from "../store/store-error.ts";
import { MerkleHasher, type MerkleDigest } from "../torrent/merkle-hasher.ts";
import type { Hooks } from "./hooks.ts";

/** Who shall be able to open what is sealed: whoever has the link, unless a password or recipients are given. */
export interface SealFor {
  readonly password: string | undefined;
  readonly recipients: readonly string[] | undefined;
}

export interface SealedFile {
  readonly sealed: SealResult;
  readonly digest: MerkleDigest;
  /** The fresh identity that opens the pack; undefined where a password or recipients do. */
  readonly identity: AgeIdentity | undefined;
}

export interface SealingOptions extends SealFor {
  readonly paths: readonly string[];
  readonly name: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Seals into a new file, hashing what is written on its way. Raises as `sealPack`, E_WEAK_PASSWORD, E_TARGET_EXISTS, E_DISK_FULL and E_STORE;
 * then the file is gone again.
 */
export async function sealToNewFile(
  file: string,
  options: SealingOptions,
  hooks: Hooks,
): Promise<SealedFile> {
  if (options.password !== undefined) checkPassword(options.password);
  const identity =
    options.password === undefined && options.recipients === undefined
      ? generateIdentity(systemRandom)
      : undefined;
  const lock = lockOf(options, identity);
  const handle = await withStoreErrors("the pack could not be created", () => open(file, "wx", 0o600));
  try {
    const hasher = new MerkleHasher();
    const sealed = await sealPack(
      {
        paths: options.paths,
        lock,
        signal: options.signal,
        onProgress: (progress) => tell(progress, hooks),
        ...(options.name === undefined ? {} : { name: options.name }),
      },
      {
        random: systemRandom,
        hasher,
        write: (bytes) => withStoreErrors("the pack could not be written", () => handle.writeFile(bytes)),
      },
    );
    await withStoreErrors("the pack could not be written", () => handle.sync());
    await handle.close();
    tellLeftOut(sealed, hooks);
    return { sealed, digest: hasher.digest(), identity };
  } catch (error) {
    await handle.close();
    await rm(file, { force: true });
    throw error;
  }
}

function lockOf(options: SealFor, identity: AgeIdentity | undefined): AgeLock {
  if (options.password !== undefined) return { password: options.password };
  if (options.recipients !== undefined) return { recipients: options.recipients };
  if (identity === undefined) throw new BackroomError("E_INTERNAL", "there is nobody to seal for");
  return { recipients: [identity.recipient] };
}

function tell({ phase, doneBytes, totalBytes, fileCount }: SealProgress, hooks: Hooks): void {
  if (phase === "seal") hooks.progress("sealing", doneBytes, totalBytes);
  else hooks.status(`Looking through the files: ${fileCount} so far`);
}

function tellLeftOut({ leftOut, leftOutCount }: SealResult, hooks: Hooks): void {
  for (const { path, reason } of leftOut.slice(0, 20)) hooks.warn(`left out (${reason}): ${path}`);
  if (leftOutCount > 20) hooks.warn(`… and ${leftOutCount - 20} more`);
}
