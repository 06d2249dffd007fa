import { isBackroomError, type BackroomError } from "@backroom/core/base/errors.ts";
import { parseLink, type ShareLink } from "@backroom/core/link/link.ts";
import { sharerKeyFromSeed } from "@backroom/core/link/sharer-key.ts";
import { whenAborted } from "@backroom/core/node/aborted.ts";
import { startDownload, type Download } from "@backroom/core/node/downloading.ts";
import { withOutputFolder } from "@backroom/core/node/output-folder.ts";
import { keysOf, type OpenedFiles } from "@backroom/core/node/pack-files.ts";
import type { AgeKeys } from "@backroom/core/pack/age-header.ts";
import type { PieceStore } from "@backroom/core/store/piece-store.ts";
import { haveBytesOf } from "./check-step.ts";
import { Company } from "./company.ts";
import { clientFor, joinFor, waitsFor } from "./network-use.ts";
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
  const { deps, signal, options } = run;
  const isMending = options.isMending === true;
  const turn = await deps.downloads.take(signal, () => run.begin("queued", FULL));
  if (turn === undefined) throw interrupted();
  try {
    const record = run.record();
    const link = parseLink(record.link ?? "");
    const isOpened = record.role === "get" && !isMending;
    const keys = isOpened ? keysOf(link, record.keys) : undefined;
    const fetch = (): Promise<OpenedFiles | undefined> =>
      fetchPack({ run, link, keys, turn, company: new Company() });
    const fetchFiles = (): Promise<OpenedFiles | undefined> => withOutputFolder(record.output ?? "", fetch);
    const opened = isOpened
      ? ((await placedBefore(record, deps.placing())) ?? (await fetchFiles()))
      : await fetch();
    if (isMending) return deps.note("mended");
    // What became of it is here as files: a pack that nobody is to fetch from here is not kept beside them.
    deps.put(fetched(run.record(), opened, deps.nowMs()));
    deps.note(isOpened ? "opened" : "stored");
    if (isOpened) deps.putPlacing(undefined);
    if (run.record().state === "done") await deps.packs.remove(record.root ?? "", link.packLength);
  } finally {
    turn.end();
  }
}

const FULL = {
  why: "as many downloads run as may at a time",
  fix: "wait for its turn, or let more run: backroom config set downloads.active NUMBER",
};

interface Fetch {
  readonly run: Run;
  readonly link: ShareLink;
  readonly keys: AgeKeys | undefined;
  readonly turn: Turn;
  readonly company: Company;
}

async function fetchPack(fetch: Fetch): Promise<OpenedFiles | undefined> {
  for (;;) {
    const outcome = await fetchWithClient(fetch);
    if (outcome !== GONE) return outcome;
  }
}

async function fetchWithClient({
  run,
  link,
  keys,
  turn,
  company,
}: Fetch): Promise<OpenedFiles | undefined | typeof GONE> {
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
  const refresh = (): void => {
    if (download === undefined) return;
    const { swarm, gateCount } = download.swarming;
    const { peerCount, downloadRate, uploadRate, downloadedBytes, uploadedBytes } = swarm.stats();
    // Of what came in less than a second nobody is left to be counted.
    const told = company.look(peerCount > 0 || (store.complete && downloadedBytes > 0), deps.nowMs());
    if (told !== undefined) deps.note(told);
    deps.putProgress({
      doneBytes: haveBytesOf(store),
      downloadedBytes: begun.downloaded + downloadedBytes,
      uploadedBytes: begun.uploaded + uploadedBytes,
    });
    const common = { peerCount, gateCount, downloadRate, uploadRate };
    if (store.complete) run.show({ ...common, state: "opening", waits: null, ...opening });
    else if (peerCount > 0) {
      turn.resume();
      failure = undefined;
      run.show({ ...common, ...progressOf(store), state: "downloading", waits: null });
    } else run.show({ ...common, ...progressOf(store), state: "looking", waits: lookingFor(failure) });
  };
  try {
    run.begin("looking");
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
              onPlacing: (placing) => deps.putPlacing(placing),
            },
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
    run.activity = { source: download.swarming.swarm.source(), refresh };
    return await Promise.race([
      download.finished.then((finished) => finished?.files),
      whenAborted(held.gone).then((): typeof GONE => GONE),
      // The store failed, also after everything had arrived.
      download.swarming.failed,
    ]);
  } catch (error) {
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

function progressOf(store: PieceStore): { readonly doneBytes: number; readonly totalBytes: number } {
  return { doneBytes: haveBytesOf(store), totalBytes: store.info.length };
}

function lookingFor(failure: BackroomError | undefined): Run["live"]["waits"] {
  return (
    waitsFor(failure) ?? {
      why: "nobody who has it was found yet",
      fix: "ask whoever shared it to keep it running; it is fetched as soon as somebody is there",
    }
  );
}
