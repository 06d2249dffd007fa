import { generateSharerKey } from "@backroom/core/link/sharer-key.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import type { Hooks } from "@backroom/core/node/hooks.ts";
import { sealToNewFile } from "@backroom/core/node/sealing.ts";
import { sealingFile } from "@backroom/core/node/sealing-file.ts";
import { adoptSealedPack } from "@backroom/core/store/open-pack.ts";
import { rm } from "node:fs/promises";
import { consentsOf, useNetwork } from "./network-use.ts";
import { interrupted, type Run } from "./run.ts";
import { sealed } from "./transfer-state.ts";

/** Seals what a share is made of. The network is joined meanwhile, since the link will name relays of it. */
export async function sealStep(run: Run): Promise<void> {
  const { deps, signal } = run;
  const turn = await deps.sealing.take(signal, () => run.begin("queued", BUSY));
  if (turn === undefined) throw interrupted();
  const warm = warmUp(run);
  try {
    const record = run.record();
    run.begin("sealing");
    const { password, recipients } = record.keys;
    const file = sealingFile(deps.folder);
    const options = {
      paths: record.inputs,
      name: record.name,
      password,
      recipients: recipients === undefined ? undefined : [...recipients],
      signal,
    };
    const { sealed: pack, digest, identity } = await sealToNewFile(file, options, hooksOf(run));
    const before = run.record();
    const facts = {
      root: digest.root.toString("hex"),
      packLength: digest.length,
      name: pack.name,
      fileCount: pack.fileCount,
      size: pack.fileBytes,
      leftOutCount: pack.leftOutCount,
      sharerSeed: generateSharerKey(systemRandom).seed.toString("hex"),
      identity: identity?.secret.toString("hex"),
    };
    try {
      // Kept before it has its name: where a kill comes between, the pack is missed and sealed again, and none lies there that nobody knows of.
      deps.put(sealed(before, facts));
      await (await adoptSealedPack(deps.folder.packs, file, digest)).close();
      deps.note("sealed");
    } catch (error) {
      await rm(file, { force: true });
      if (deps.record() !== undefined) deps.put(before);
      throw error;
    }
  } finally {
    turn.end();
    await warm();
  }
}

const BUSY = {
  code: "WAIT_SEALING",
  why: "other shares are being sealed",
  fix: "wait for its turn",
} as const;

/** Joins in the background; whether that worked is found out when the link is made. */
function warmUp(run: Run): () => Promise<void> {
  const stop = new AbortController();
  const using = useNetwork(run, undefined, {
    signal: stop.signal,
    accept: consentsOf(run.record()),
    isFinal: () => true,
  });
  const ended = using.then(
    (held) => held.release(),
    () => {},
  );
  return async () => {
    stop.abort();
    await ended;
  };
}

function hooksOf(run: Run): Hooks {
  return {
    progress: (_stage, doneBytes, totalBytes) => {
      run.show({ doneBytes, totalBytes });
    },
    note: (text) => run.deps.notice("note", text),
    warn: (text) => run.deps.notice("warn", text),
    status() {},
    event() {},
    confirm: () => Promise.resolve(false),
    log: run.deps.log,
  };
}
