import { link as hardLink, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { BackroomError } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";
import { systemRandom } from "../base/random.ts";
import { formatLink, parseLink, type ShareLink } from "../link/link.ts";
import { generateSharerKey } from "../link/sharer-key.ts";
import type { AgeKeys } from "../pack/age-header.ts";
import { formatKeyFile, identityFromSecret, parseKeyFile } from "../pack/age-keys.ts";
import { openPack, type OpenOptions } from "../pack/open.ts";
import type { Selection } from "../pack/selection.ts";
import type { PackSource } from "../pack/source.ts";
import { unpackWhereItFits } from "../pack/unpack-thread.ts";
import { readAll } from "../store/store-files.ts";
import { storeError } from "../store/store-error.ts";
import type { Hooks } from "./hooks.ts";
import { withOutputFolder } from "./output-folder.ts";
import { sealToNewFile, type SealFor } from "./sealing.ts";

export interface SealToFileOptions extends SealFor {
  readonly paths: readonly string[];
  readonly output: string;
  /** Where to write the key that opens the pack, as `age -i` takes it. */
  readonly identityFile: string | undefined;
  readonly name: string | undefined;
  readonly signal: AbortSignal;
}

export interface SealToFileResult {
  /** Names no network (id 0). Locked where a password or recipients open the pack. */
  readonly link: string;
  readonly kind: "read" | "locked";
  readonly output: string;
  readonly fileCount: number;
  readonly size: number;
  readonly packLength: number;
  readonly leftOutCount: number;
}

/** `backroom seal`. Raises as `sealToNewFile`; nothing is left behind then. */
export async function sealToFile(options: SealToFileOptions, hooks: Hooks): Promise<SealToFileResult> {
  const output = path.resolve(options.output);
  await refuseExisting(output, options.identityFile);
  const partial = `${output}.partial`;
  const { sealed, digest, identity } = await sealToNewFile(partial, options, hooks);
  try {
    if (options.identityFile !== undefined && identity !== undefined) {
      const text = await formatKeyFile(identity.identity, Date.now());
      await creating(options.identityFile, (file) => writeFile(file, text, { flag: "wx", mode: 0o600 }));
    }
    // A hard link, since renaming would overwrite what may have come there meanwhile.
    await creating(output, (file) => hardLink(partial, file));
  } finally {
    await rm(partial, { force: true });
  }
  const fields = {
    networkId: 0,
    piecesRoot: digest.root,
    packLength: digest.length,
    sharerFingerprint: generateSharerKey(systemRandom).fingerprint,
    name: sealed.name,
    filesBytes: sealed.fileBytes,
    relays: [],
  };
  const link: ShareLink =
    identity === undefined
      ? { kind: "locked", ...fields, topicSecret: systemRandom.bytes(32) }
      : { kind: "read", ...fields, identity: identity.secret };
  return {
    link: formatLink(link),
    kind: link.kind,
    output,
    fileCount: sealed.fileCount,
    size: sealed.fileBytes,
    packLength: sealed.length,
    leftOutCount: sealed.leftOutCount,
  };
}

export interface OpenFromFileOptions {
  readonly pack: string;
  readonly link: string | undefined;
  readonly identityFile: string | undefined;
  /** Asked where neither a read link nor a key file is given. */
  readonly password: () => Promise<string>;
  readonly outputFolder: string;
  readonly signal: AbortSignal;
}

export interface OpenedFiles {
  /** What was put into the folder. */
  readonly paths: string[];
  readonly name: string;
  readonly fileCount: number;
  readonly size: number;
}

/** `backroom open`. Raises as `openPack`, E_FILE for a pack that cannot be read, E_OTHER_PACK for a link of another one. */
export async function openFromFile(options: OpenFromFileOptions, hooks: Hooks): Promise<OpenedFiles> {
  const link = options.link === undefined ? undefined : parseLink(options.link);
  const handle = await reading(options.pack, (file) => open(file, "r"));
  try {
    const { size } = await handle.stat();
    if (link !== undefined && link.packLength !== size) {
      throw new BackroomError("E_OTHER_PACK", "the link is not that of this pack: they differ in length");
    }
    const source: PackSource = {
      length: size,
      read: async (offset, length, _, into) => {
        const bytes = await reading(options.pack, () => readAll(handle, offset, length, into));
        if (bytes === undefined)
          throw new BackroomError("E_FILE", "the pack became shorter while it was read");
        return bytes;
      },
    };
    const keys = await keysFor(link, options);
    const root = link?.piecesRoot ?? systemRandom.bytes(32);
    return await withOutputFolder(options.outputFolder, () => openInto(source, root, keys, options, hooks));
  } finally {
    await handle.close();
  }
}

/** Which keys open a pack: those of the key file, the link's, or a password that is asked for. */
export async function keysFor(
  link: ShareLink | undefined,
  options: Pick<OpenFromFileOptions, "identityFile" | "password">,
): Promise<AgeKeys> {
  if (options.identityFile !== undefined) {
    const identity = await reading(options.identityFile, (file) => readFile(file, "utf8"));
    return keysOf(link, { identity });
  }
  return link?.kind === "read" ? keysOf(link, {}) : keysOf(link, { password: await options.password() });
}

/**
 * The same of what is there already: a key file's content before the link's own key before a password. Raises E_NO_KEY where there is none of them,
 * E_KEY_FILE.
 */
export function keysOf(
  link: ShareLink | undefined,
  given: { readonly identity?: string | undefined; readonly password?: string | undefined },
): AgeKeys {
  if (given.identity !== undefined) return { identities: parseKeyFile(given.identity) };
  if (link?.kind === "read") return { identities: [identityFromSecret(link.identity).identity] };
  if (given.password !== undefined) return { password: given.password };
  throw new BackroomError("E_NO_KEY", "the link is locked: it holds no key", {
    fix: "give the password or the key file that opens it, or only store and hand out the share: --mirror",
  });
}

export type OpenIntoOptions = { readonly outputFolder: string; readonly signal: AbortSignal } & Pick<
  OpenOptions,
  "onPlacing" | "wanted"
>;

/** Opens a pack into a folder and tells how far it is. */
export async function openInto(
  source: PackSource,
  root: Buffer,
  keys: AgeKeys,
  options: OpenIntoOptions,
  hooks: Pick<Hooks, "progress">,
): Promise<OpenedFiles> {
  return (await openWantedInto(source, root, keys, options, hooks)).files;
}

/** The same, with what was wanted at the end; undefined where everything was asked for. */
export async function openWantedInto(
  source: PackSource,
  root: Buffer,
  keys: AgeKeys,
  options: OpenIntoOptions,
  hooks: Pick<Hooks, "progress">,
): Promise<{ readonly files: OpenedFiles; readonly selection: Selection | undefined }> {
  const opened = await openPack(
    {
      keys,
      place: { into: path.resolve(options.outputFolder) },
      root,
      signal: options.signal,
      onPlacing: options.onPlacing,
      wanted: options.wanted,
      onProgress: ({ doneBytes, totalBytes }) => hooks.progress("opening", doneBytes, totalBytes),
    },
    { source, random: systemRandom, unpack: unpackWhereItFits },
  );
  const { path: place, name, fileCount, fileBytes, selection } = opened;
  const files = { paths: place === undefined ? [] : [place], name, fileCount, size: fileBytes };
  return { files, selection };
}

async function refuseExisting(...files: (string | undefined)[]): Promise<void> {
  for (const file of files) {
    if (file !== undefined && (await stat(file).catch(() => undefined)) !== undefined) throw exists(file);
  }
}

async function creating(file: string, create: (file: string) => Promise<void>): Promise<void> {
  try {
    await create(file);
  } catch (error) {
    throw systemCode(error) === "EEXIST" ? exists(file) : storeError(error, `${file} could not be created`);
  }
}

async function reading<T>(file: string, read: (file: string) => Promise<T>): Promise<T> {
  try {
    return await read(file);
  } catch (cause) {
    throw new BackroomError("E_FILE", `${file} could not be read`, { cause });
  }
}

function exists(file: string): BackroomError {
  return new BackroomError("E_TARGET_EXISTS", `${file} is there already`);
}
