import { parentPort, workerData } from "node:worker_threads";
import { BackroomError } from "../base/errors.ts";
import { throwIfAborted, untilAborted } from "../base/abort.ts";
import { Selection } from "./selection.ts";
import type { PackSource } from "./source.ts";
import { encodeFailure, type FromUnpacker, type ToUnpacker, type UnpackOrder } from "./unpack-messages.ts";
import { unpackHere } from "./unpacker.ts";
import type { WantedFiles } from "./wanted-files.ts";

/** How often it says how far it is. */
const TELL_MS = 50;

/** A thread that unpacks one pack, whose bytes it asks for, and ends. Begun by `unpackInThread`. */
const order = workerData as UnpackOrder;
const stop = new AbortController();
const reads = new Map<number, PromiseWithResolvers<Buffer>>();
/** Of reads that failed elsewhere: the error that stands for it here. */
const failedReads = new WeakMap<Error, number>();
let lastRead = 0;
let untoldBytes = 0;
let toldMs = 0;
let selection = Selection.kept(order.wanted?.choices ?? []);
let changed = new AbortController();

const source: PackSource = {
  length: order.length,
  givesAway: true,
  async read(offset, length, signal) {
    throwIfAborted(signal);
    const read = ++lastRead;
    const answer = Promise.withResolvers<Buffer>();
    reads.set(read, answer);
    say({ type: "read", read, offset, length });
    try {
      return await untilAborted(answer.promise, signal);
    } finally {
      reads.delete(read);
      if (signal?.aborted === true) say({ type: "giveUp", read });
    }
  },
};

parentPort?.on("message", (message: ToUnpacker) => {
  switch (message.type) {
    case "bytes": {
      const { buffer, byteOffset, length } = message.bytes;
      return reads.get(message.read)?.resolve(Buffer.from(buffer, byteOffset, length));
    }
    case "unread": {
      const error = new BackroomError("E_INTERNAL", "a read failed");
      failedReads.set(error, message.read);
      return reads.get(message.read)?.reject(error);
    }
    case "wanted":
      selection = Selection.kept(message.choices);
      changed.abort();
      changed = new AbortController();
      return;
    case "stop":
      return stop.abort();
  }
});

const wanted: WantedFiles | undefined = order.wanted && {
  now: () => ({ selection, changed: changed.signal }),
  opened: order.wanted.opened && Selection.kept(order.wanted.opened),
};

main().catch((error: unknown) => {
  const read = error instanceof Error ? failedReads.get(error) : undefined;
  say({ type: "failed", failure: read === undefined ? encodeFailure(error) : { read } });
});

async function main(): Promise<void> {
  const { body, folder } = order;
  const unpacked = await unpackHere({
    source,
    body,
    folder,
    wanted,
    signal: stop.signal,
    onBytes(bytes) {
      untoldBytes += bytes;
      if (performance.now() - toldMs > TELL_MS) tell();
    },
    onSurvey(totalBytes, doneBytes) {
      tell();
      say({ type: "survey", totalBytes, doneBytes });
    },
  });
  tell();
  say({ type: "unpacked", choices: unpacked.selection?.choices(), leafCount: unpacked.leafCount });
}

function tell(): void {
  if (untoldBytes > 0) say({ type: "bytes", bytes: untoldBytes });
  untoldBytes = 0;
  toldMs = performance.now();
}

function say(message: FromUnpacker): void {
  parentPort?.postMessage(message, []);
}
