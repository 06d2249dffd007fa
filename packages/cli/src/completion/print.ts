import { setTimeout as sleep } from "node:timers/promises";
import { daemonAccess } from "../daemon-access.ts";
import type { Session } from "../session.ts";
import { showableLine } from "../ui/showable.ts";
import { completionsOf, optionValue, type Candidate, type LiveKind } from "./candidates.ts";
import { liveCandidates } from "./live.ts";

/** Somebody waits with a finger on the key. */
const DEADLINE_MS = 400;
/** Whatever still hangs then: the shell waits for this process. */
const END_MS = 1_000;

/** Prints what the scripts of `scripts.ts` read. A daemon that is not there, or is slow, is as good as one that has nothing. */
export async function printCompletions(
  before: readonly string[],
  current: string,
  session: Session,
): Promise<void> {
  session.endSoon(END_MS);
  const { candidates, files, live } = completionsOf(await session.program(), before, current);
  const more = live === undefined ? [] : await ofDaemon(live, before, current, session);
  const { terminal } = session;
  for (const { value, description } of [...candidates, ...more]) {
    terminal.print(`${value}\t${showableLine(description)}`);
  }
  terminal.print(`:${files}`);
}

async function ofDaemon(
  kind: LiveKind,
  before: readonly string[],
  current: string,
  session: Session,
): Promise<Candidate[]> {
  const folder = optionValue(before, "--data");
  const access = folder === undefined ? session.daemon : daemonAccess({ ...session, dataFolder: folder });
  const late = AbortSignal.timeout(DEADLINE_MS);
  const ask = async (): Promise<Candidate[]> => {
    const client = await access.find();
    return client === undefined ? [] : liveCandidates(client, kind, current, late);
  };
  return Promise.race([ask().catch(() => []), sleep(DEADLINE_MS, [], { ref: false })]);
}
