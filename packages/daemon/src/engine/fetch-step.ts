import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import { parseLink, type ShareLink } from "@backroom/core/link/link.ts";
import { sharerKeyFromSeed } from "@backroom/core/link/sharer-key.ts";
import { whenAborted } from "@backroom/core/base/abort.ts";
import { startDownload, type Download, type Finished } from "@backroom/core/node/downloading.ts";
import { withOutputFolder } from "@backroom/core/node/output-folder.ts";
import { keysOf, type OpenedFiles } from "@backroom/core/node/pack-files.ts";
import { planOf, type Plan } from "@backroom/core/node/piece-levels.ts";
import type { AgeKeys } from "@backroom/core/pack/age-header.ts";
import { PackReader } from "@backroom/core/pack/pack-reader.ts";
import { Selection } from "@backroom/core/pack/selection.ts";
import type { StoredSelection } from "../catalogue/catalogue.ts";
import { checked, chosenIn, choiceOf, heldIn, heldLevels, NOTHING_CHOSEN, wantedOf } from "./chosen-files.ts";
import { isOther } from "./choosing.ts";
import { Company } from "./company.ts";
import { clientFor, joinFor, waitsFor } from "./network-use.ts";
import { infoOf } from "./packs.ts";
import { storedSource } from "./stored-source.ts";
import { placedBefore } from "./placing.ts";
import { interrupted, type Run } from "./run.ts";
import { fetched } from "./transfer-state.ts";
import type { Turn } from "./turns.ts";

/** The proxy or the like has changed under a download: it goes on with another client. */
const GONE = Symbol("gone");

/**
 * Fetches what a pack lacks and opens it while it arrives; a run that only mends opens nothing. What was fetched stays when it fails or is
 * stopped. Raises as `startDownload`.
 */
export async function fetchStep(run: Run): Promise<void> {
  const { deps, options } = run;
  const isMending = options.isMending === true;
  const record = run.record();
  const link = parseLink(record.link ?? "");
  if (record.role === "get" && !isMending) return fetchChosen(run, link);
  const turn = await takeTurn(run);
  try {
    await fetchPack({ run, link, keys: undefined, turn, company: new Company() });
    if (isMending) return deps.note("mended");
    deps.put(fetched(run.record(), undefined, deps.nowMs()));
    deps.note("stored");
  } finally {
    turn.end();
  }
}

/** Fetches and opens what is chosen; where nothing is, it waits for that, and keeps nobody from fetching something else meanwhile. */
async function fetchChosen(run: Run, link: ShareLink): Promise<void> {
  const { deps } = run;
  const keys = keysOf(link, run.record().keys);
  const before = await placedBefore(run.record(), deps.placing());
  if (before !== undefined) {
    // It has its place already, and a kill came before that was kept.
    const isAll = keepOpened(run, before.files, before.selection ?? Selection.everything, null);
    // What a part of a pack is handed out with is found out below.
    if (isAll && (deps.selection() === undefined || !run.record().seed)) return finish(run, link, keys);
    deps.putPlacing(undefined);
  }
  for (;;) {
    const stored = deps.selection();
    const { selection, opened } = chosenIn(stored);
    // Where the pack is to be handed out, it is looked at all the same.
    if (opened?.covers(selection) === true && !run.record().seed) return finish(run, link, keys);
    if (opened === undefined && !selection.wantsAll && (await planHere(run, keys))?.isNothing === true) {
      await untilChosen(run, link, stored);
      continue;
    }
    const turn = await takeTurn(run);
    try {
      const fetch = (): Promise<Fetched> => fetchPack({ run, link, keys, turn, company: new Company() });
      const { finished, held, plan } = await withOutputFolder(run.record().output ?? "", fetch);
      if (finished === undefined) throw new BackroomError("E_INTERNAL", "a download opened nothing");
      if (finished.files.paths.length === 0 && opened === undefined) continue;
      const isAll = keepOpened(run, finished.files, finished.selection ?? Selection.everything, held);
      if (isAll) return await finish(run, link, keys, plan);
    } finally {
      turn.end();
    }
  }
}

/** Pieces with a list of files that are kept for later: read into memory once, and in a share of a million files worth to be fetched again. */
const LIST_BYTES = 64 * 1024 * 1024;

/** Keeps what is where it belongs now. Whether that is all that is wanted by now. */
function keepOpened(run: Run, files: OpenedFiles, selection: Selection, held: string | null): boolean {
  const { deps } = run;
  const record = run.record();
  const stored = deps.selection();
  const paths = [...new Set([...record.paths, ...files.paths])];
  if (stored === undefined) {
    deps.put({ ...record, ...files, paths });
    return true;
  }
  const { selection: wanted, opened: before } = chosenIn(stored);
  const opened = before === undefined ? selection : before.or(selection);
  deps.putWith({ ...record, ...files, paths }, { choices: stored.choices, opened: opened.choices(), held });
  return opened.covers(wanted);
}

/**
 * What became of it is here as files: a pack that nobody is to fetch from here is not kept beside them, but for its list of files, where some of them may be
 * chosen yet.
 */
async function finish(run: Run, link: ShareLink, keys: AgeKeys, plan?: Plan): Promise<void> {
  const { deps } = run;
  const over = fetched(run.record(), undefined, deps.nowMs());
  const { state, root, skippedCount } = over;
  const { packLength } = link;
  const shrinking = (known: Plan | undefined): Parameters<typeof deps.unfinished.packShrinks>[0] => {
    const { frame = [] } = (skippedCount === 0 ? undefined : known) ?? {};
    const isListKept = frame.length * infoOf(root ?? "", packLength).pieceLength <= LIST_BYTES;
    return { root: root ?? "", packLength, pieces: isListKept ? frame : [] };
  };
  // Once it is over a kill would leave all of the pack, of which nothing says any more that it is of no use.
  if (state === "done") deps.unfinished.packShrinks(shrinking(plan));
  deps.put(over);
  deps.note("opened");
  deps.putPlacing(undefined);
  if (state !== "done") return;
  const pack = shrinking(skippedCount === 0 ? undefined : (plan ?? (await planHere(run, keys))));
  try {
    await deps.packs.keepOnly(pack.root, packLength, pack.pieces);
    deps.unfinished.packShrunk(pack.root);
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    // Its files are where they belong all the same; the next start tries it once more.
    deps.log("warn", "a pack that is of no use any more could not be taken away", { code: error.code });
  }
}

async function takeTurn(run: Run): Promise<Turn> {
  const turn = await run.deps.downloads.take(run.signal, () => run.begin("queued", FULL));
  if (turn === undefined) throw interrupted();
  return turn;
}

/** What is chosen comes to that, told from what is here, without the network. Undefined where the index is not, or not undamaged. */
async function planHere(run: Run, keys: AgeKeys): Promise<Plan | undefined> {
  const { deps } = run;
  const { root, packLength } = run.record();
  if (root === null || packLength === null) return undefined;
  const pack = await deps.packs.hold(root, packLength);
  try {
    const { info } = pack.store;
    const reader = await PackReader.open(storedSource(pack.store), keys);
    const selection = await checked(run, reader);
    return await planOf(reader, info, { ...chosenIn(deps.selection()), selection, isKept: false });
  } catch (error) {
    if (!isBackroomError(error, "E_NOT_HELD") && !isBackroomError(error, "E_HASH")) throw error;
    return undefined;
  } finally {
    await pack.release();
  }
}

/** Until something else than `before` is chosen. Raises E_INTERRUPTED once the transfer is stopped. */
async function untilChosen(
  run: Run,
  { piecesRoot, packLength }: ShareLink,
  before: StoredSelection | undefined,
): Promise<void> {
  const chosen = Promise.withResolvers<void>();
  const pack = await run.deps.packs.hold(piecesRoot.toString("hex"), packLength);
  try {
    run.begin("choosing", NOTHING_CHOSEN);
    // Whoever asks which files there are reads what is here.
    const choose = (): void => {
      run.begin("queued");
      chosen.resolve();
    };
    run.activity = { source: storedSource(pack.store), choose };
    // It may have been while the index was read, and nobody was told then.
    if (isOther(run.deps.selection(), before)) chosen.resolve();
    await Promise.race([chosen.promise, whenAborted(run.signal)]);
  } finally {
    run.activity = {};
    await pack.release();
  }
  if (run.signal.aborted) throw interrupted();
}

const FULL = {
  code: "WAIT_DOWNLOAD",
  why: "as many downloads run as may at a time",
  fix: "wait for its turn, or let more run: backroom config set downloads.active NUMBER",
} as const;

interface Fetch {
  readonly run: Run;
  readonly link: ShareLink;
  readonly keys: AgeKeys | undefined;
  readonly turn: Turn;
  readonly company: Company;
}

interface Fetched {
  /** Undefined where nothing is opened. */
  readonly finished: Finished | undefined;
  /** As of StoredSelection. */
  readonly held: string | null;
  /** The last one; undefined where everything is wanted alike. */
  readonly plan: Plan | undefined;
}

async function fetchPack(fetch: Fetch): Promise<Fetched> {
  for (;;) {
    const outcome = await fetchWithClient(fetch);
    if (outcome !== GONE) return outcome;
  }
}

async function fetchWithClient({ run, link, keys, turn, company }: Fetch): Promise<Fetched | typeof GONE> {
  const { deps, signal, options } = run;
  const record = run.record();
  const isPatient = record.wait || options.isPatient === true || options.isMending === true;
  const held = await joinFor(run, link, isPatient);
  const pack = await deps.packs
    .hold(link.piecesRoot.toString("hex"), link.packLength)
    .catch((error: unknown) => {
      held.release();
      throw error;
    });
  const { store } = pack;
  const begun = { downloaded: record.downloadedBytes, uploaded: record.uploadedBytes };
  let failure: BackroomError | undefined;
  let opening: { readonly doneBytes: number; readonly totalBytes: number } | undefined;
  let download: Download | undefined;
  let plan: Plan | undefined;
  const refresh = (): void => {
    if (download === undefined) return;
    const { swarm, gateCount } = download.swarming;
    const stats = swarm.stats();
    const { peerCount, downloadRate, uploadRate, downloadedBytes, uploadedBytes, complete } = stats;
    const progress = { doneBytes: stats.wantedDoneBytes, totalBytes: stats.wantedBytes };
    // Of what came in less than a second nobody is left to be counted.
    const told = company.look(peerCount > 0 || (complete && downloadedBytes > 0), deps.nowMs());
    if (told !== undefined) deps.note(told);
    deps.putProgress({
      doneBytes: progress.doneBytes,
      downloadedBytes: begun.downloaded + downloadedBytes,
      uploadedBytes: begun.uploaded + uploadedBytes,
    });
    const common = { peerCount, gateCount, downloadRate, uploadRate };
    if (complete) run.show({ ...common, state: "opening", waits: null, ...opening });
    else if (peerCount > 0) {
      turn.resume();
      failure = undefined;
      run.show({ ...common, ...progress, state: "downloading", waits: null });
    } else run.show({ ...common, ...progress, state: "looking", waits: lookingFor(failure) });
  };
  try {
    run.begin("looking");
    const choice = keys === undefined ? undefined : choiceOf(run, store.info, (made) => (plan = made));
    const given = deps.selection();
    download = await startDownload({
      folder: deps.folder,
      client: clientFor(held.client, record.profile),
      link,
      store,
      opening:
        keys === undefined
          ? undefined
          : {
              keys,
              outputFolder: record.output ?? "",
              choice,
              onPlacing: (placing, selection) =>
                deps.putPlacing({ ...placing, choices: (selection ?? Selection.everything).choices() }),
            },
      levels: keys === undefined ? heldLevels(deps.selection() ?? { held: null }, store.info) : undefined,
      sharer:
        record.sharerSeed === null ? undefined : sharerKeyFromSeed(Buffer.from(record.sharerSeed, "hex")),
      limits: deps.limits,
      log: deps.log,
      signal,
      isPatient,
      onAlone: (reason, isLate) => {
        failure = reason;
        // Whoever waits for a seeder for long keeps nobody from fetching something else.
        if (isLate) turn.giveWay();
      },
      onOpening: (doneBytes, totalBytes) => (opening = { doneBytes, totalBytes }),
    });
    const running = download;
    // What the index says of it is told by whoever opens the pack.
    const choose = (): void => void running.choose(wantedOf(run)).catch(() => {});
    run.activity = { source: running.swarming.swarm.source(), refresh, choose };
    if (isOther(deps.selection(), given)) choose();
    return await Promise.race([
      download.finished.then((finished) => ({ finished, held: heldIn(store), plan })),
      whenAborted(held.gone).then((): typeof GONE => GONE),
      // The store failed, also after everything had arrived.
      download.swarming.failed,
    ]);
  } catch (error) {
    // Nothing of ours came there: what is there now is a person's own, however empty it is.
    if (isBackroomError(error, "E_TARGET_EXISTS")) deps.putPlacing(undefined);
    // Its circuits went with the client; what it says of that is not why it stopped.
    if (held.gone.aborted && !signal.aborted && isBackroomError(error)) return GONE;
    throw error;
  } finally {
    refresh();
    run.activity = {};
    await download?.close();
    await pack.release();
    held.release();
  }
}

function lookingFor(failure: BackroomError | undefined): Run["live"]["waits"] {
  return (
    waitsFor(failure) ?? {
      code: "WAIT_SEEDER",
      why: "nobody who has it was found yet",
      fix: "ask whoever shared it to keep it running; it is fetched as soon as somebody is there",
    }
  );
}
