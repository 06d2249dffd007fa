import { BackroomError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import type { Profile } from "../directory/path.ts";
import { formatLink, lockedLink, parseLink, type ShareLink } from "../link/link.ts";
import { generateSharerKey, sharerKeyFromSeed, type SharerKey } from "../link/sharer-key.ts";
import { adoptSealedPack, openPackStore } from "../store/open-pack.ts";
import type { PieceStore } from "../store/piece-store.ts";
import { removePack } from "../store/store-files.ts";
import { torrentInfo } from "../torrent/info.ts";
import { whenAborted } from "../base/abort.ts";
import { Client } from "./client.ts";
import { openDataFolder, type DataFolder } from "./data-folder.ts";
import { startHandingOut } from "./handing-out.ts";
import type { Hooks } from "./hooks.ts";
import { currentNetwork } from "./networks.ts";
import { networkOfLink } from "./network-of-link.ts";
import { sealToNewFile, type SealFor } from "./sealing.ts";
import { lockPack } from "./pack-lock.ts";
import { readShareRecord, writeShareRecord } from "./share-record.ts";
import { removeAbandoned, sealingFile } from "./sealing-file.ts";
import { makeShareLink } from "./share-link.ts";
import type { Swarming } from "./swarming.ts";

/** How long the first gate may take before the link is printed all the same. */
const FIRST_GATE_MS = 20_000;
const TELL_MS = 1000;

export interface ShareOptions extends SealFor {
  /** Files and folders, or one link of a share that was made or mirrored here. */
  readonly inputs: readonly string[];
  readonly dataFolder: string | undefined;
  /** As in `ClientOptions`. */
  readonly proxy: string | undefined;
  readonly lan: boolean;
  readonly name: string | undefined;
  readonly profile: Profile;
  readonly signal: AbortSignal;
  readonly onReady: (result: ShareResult) => void;
}

export interface ShareResult {
  readonly link: string;
  /** For hosts that shall not be able to read; the link itself where that is locked. */
  readonly lockedLink: string;
  readonly kind: "read" | "locked";
  readonly name: string;
  readonly fileCount: number;
  readonly size: number;
  readonly packLength: number;
  readonly leftOutCount: number;
}

/** A share that is ready to be handed out. */
interface Prepared {
  readonly store: PieceStore;
  readonly link: ShareLink;
  readonly sharer: SharerKey | undefined;
  readonly fileCount: number;
  readonly leftOutCount: number;
}

/**
 * `backroom share`: seals (or finds what was sealed), then hands out until `signal` is aborted. Raises as `sealToNewFile` and `Client.open`,
 * E_NOT_HELD for a link whose pack is not here whole, E_LOCKED while another process hands out the same, E_STORE and its kin when the
 * pack cannot be read any more.
 */
export async function shareFiles(options: ShareOptions, hooks: Hooks): Promise<void> {
  const folder = await openDataFolder(options.dataFolder);
  const [first = ""] = options.inputs;
  const again = options.inputs.length === 1 && /^\s*backroom:/i.test(first) ? parseLink(first) : undefined;
  const { network, joinRelays, keep } =
    again === undefined
      ? { network: await currentNetwork(folder), joinRelays: [], keep: undefined }
      : await networkOfLink(folder, again, hooks);
  const client = await Client.open(
    {
      folder,
      network,
      joinRelays,
      profile: options.profile,
      log: hooks.log,
      proxy: options.proxy,
      lan: options.lan,
    },
    hooks,
  );
  try {
    if (again === undefined) {
      const prepared = await seal(options, folder, client, hooks);
      await locked(folder, prepared.store.info.root, () =>
        handOut(folder, prepared, client, { options, hooks }),
      );
    } else {
      await keep?.();
      // Before it is looked at: another process may just be fetching it.
      await locked(folder, again.piecesRoot, async () =>
        handOut(folder, await findAgain(folder, again), client, { options, hooks }),
      );
    }
  } finally {
    await client.close();
  }
}

async function locked(folder: DataFolder, root: Buffer, work: () => Promise<void>): Promise<void> {
  const lock = await lockPack(folder, root);
  try {
    await work();
  } finally {
    await lock.release();
  }
}

async function seal(
  options: ShareOptions,
  folder: DataFolder,
  client: Client,
  hooks: Hooks,
): Promise<Prepared> {
  await removeAbandoned(folder);
  const file = sealingFile(folder);
  const sealedFile = await sealToNewFile(file, { ...options, paths: options.inputs }, hooks);
  const store = await adoptSealedPack(folder.packs, file, sealedFile.digest);
  const sharer = generateSharerKey(systemRandom);
  const { sealed, digest, identity } = sealedFile;
  const { fileCount, leftOutCount } = sealed;
  const link = makeShareLink(
    {
      root: digest.root,
      length: digest.length,
      name: sealed.name,
      fileBytes: sealed.fileBytes,
      identity: identity?.secret,
      sharerFingerprint: sharer.fingerprint,
    },
    client,
  );
  try {
    await writeShareRecord(folder, { link: formatLink(link), sharerSeed: sharer.seed, fileCount });
  } catch (error) {
    await store.close();
    await removePack(folder.packs, store.info);
    throw error;
  }
  return { store, link, sharer, fileCount, leftOutCount };
}

async function findAgain(folder: DataFolder, link: ShareLink): Promise<Prepared> {
  const record = await readShareRecord(folder, link);
  const store = await openPackStore(folder.packs, torrentInfo(link.piecesRoot, link.packLength));
  if (!store.complete) {
    await store.close();
    if (store.haveCount() === 0) await removePack(folder.packs, store.info);
    throw new BackroomError("E_NOT_HELD", "the pack of this link is not here, or not all of it");
  }
  const sharer = record === undefined ? undefined : sharerKeyFromSeed(record.sharerSeed);
  return { store, link, sharer, fileCount: record?.fileCount ?? 0, leftOutCount: 0 };
}

async function handOut(
  folder: DataFolder,
  prepared: Prepared,
  client: Client,
  { options, hooks }: { readonly options: ShareOptions; readonly hooks: Hooks },
): Promise<void> {
  const { store, link, sharer } = prepared;
  const swarming = await startHandingOut({ folder, client, store, link, sharer, log: hooks.log });
  const stopped = whenAborted(options.signal);
  const telling = setInterval(() => {
    const { peerCount, uploadedBytes, uploadRate } = swarming.swarm.stats();
    hooks.event("seeding", {
      gates: swarming.gateCount,
      peers: peerCount,
      uploadedBytes,
      rate: Math.round(uploadRate),
    });
  }, TELL_MS);
  try {
    await Promise.race([firstGate(swarming, hooks, options.signal), stopped, swarming.failed]);
    if (options.signal.aborted) return;
    options.onReady({
      link: formatLink(link),
      lockedLink: formatLink(link.kind === "read" ? lockedLink(link) : link),
      kind: link.kind,
      name: link.name ?? "",
      fileCount: prepared.fileCount,
      size: link.filesBytes ?? 0,
      packLength: link.packLength,
      leftOutCount: prepared.leftOutCount,
    });
    await Promise.race([stopped, swarming.failed]);
  } finally {
    clearInterval(telling);
    swarming.close();
    await store.close();
  }
}

/** A link that is handed on before any gate knows the share would fail for whoever is quick. */
async function firstGate(swarming: Swarming, hooks: Hooks, signal: AbortSignal): Promise<void> {
  const startedMs = performance.now();
  hooks.status("Asking relays to be gates, where it can be found …");
  while (swarming.gateCount === 0 && !signal.aborted) {
    if (performance.now() - startedMs > FIRST_GATE_MS) {
      hooks.warn("no relay has taken the share on as a gate yet; the link works once one does");
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
