import { parentPort } from "node:worker_threads";
import { systemRandom } from "../../packages/core/src/base/random.ts";
import {
  encodeConnect,
  solveConnect,
  type ConnectTerms,
} from "../../packages/core/src/tunnel/connect-work.ts";

/** What to work for; the newest counts. */
export interface AttackOrder extends ConnectTerms {
  readonly gateKey: Uint8Array;
  readonly tag: Uint8Array;
}

export interface AttackWork {
  readonly args: Uint8Array;
}

/** Cheaper ones it does in bulk: they cost it next to nothing. */
const LEAST_EFFORT = 1;

let order: AttackOrder | undefined;
let working = false;

parentPort?.on("message", (next: AttackOrder) => {
  order = next;
  if (!working) void work();
});

async function work(): Promise<void> {
  working = true;
  for (;;) {
    const { gateKey, tag, nonce, effort } = order as AttackOrder;
    const terms = { nonce: Buffer.from(nonce), effort: Math.max(LEAST_EFFORT, effort) };
    const solved = await solveConnect(gateKey, tag, terms, { random: systemRandom, mayGoOn: () => true });
    const args: AttackWork = { args: encodeConnect({ tag: Buffer.from(tag), work: solved }) };
    parentPort?.postMessage(args, []);
  }
}
