import { type BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import { assertMemory, checkMemory } from "@backroom/daemon/doctor/memory-check.ts";
import type { Session } from "../session.ts";

/**
 * Whether this computer has the memory that the program needs. Where it is short, somebody has to accept that: by --accept-risk, by an answer now, or
 * earlier. It is remembered, also for the daemon and whatever else this command starts. Raises E_MACHINE.
 */
export async function admitMachine(session: Session): Promise<void> {
  const facts = session.facts.memory();
  const verdict = checkMemory(facts);
  if (verdict === "enough") return;
  if (verdict === "refused") return assertMemory(facts, false);
  const { openRisk } = await import("./risk.ts");
  const risk = await openRisk(session);
  if (risk.isAccepted) return;
  if (!session.acceptRisk) await askAbout(() => assertMemory(facts, false), session);
  await risk.accept();
}

/** Raises what `refuse` does, unless somebody who sits there says that it is well. */
async function askAbout(refuse: () => void, { terminal }: Session): Promise<void> {
  try {
    refuse();
  } catch (error) {
    if (!isBackroomError(error) || !terminal.interactive) throw error;
    terminal.ask(sentence(error));
    const { yesTo } = await import("../ui/hooks.ts");
    if (!(await yesTo("Run it all the same, now and later?"))) throw error;
  }
}

function sentence({ message, why }: BackroomError): string {
  return `${message[0]?.toUpperCase()}${message.slice(1)}: ${why}.`;
}
