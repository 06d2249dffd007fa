import { BackroomError } from "@backroom/core/base/errors.ts";
import { formatGiB } from "./amounts.ts";
import type { MemoryFacts } from "./machine-facts.ts";
import { MEMORY_TOLERANCE, THRESHOLDS } from "./thresholds.ts";

/** `refused`: the program does not run. `risky`: it may end in the middle for want of memory, so somebody has to accept that. */
export type MemoryVerdict = "enough" | "risky" | "refused";

/** What this process can have. */
export function usableBytes({ totalBytes, limitBytes }: MemoryFacts): number {
  return Math.min(totalBytes, limitBytes ?? Infinity);
}

export function checkMemory(facts: MemoryFacts): MemoryVerdict {
  const bytes = usableBytes(facts);
  if (!reaches(bytes, THRESHOLDS.memory.minimum)) return "refused";
  return reaches(bytes, THRESHOLDS.memory.risky) ? "enough" : "risky";
}

/** Whether that much memory is what people mean by `threshold`. */
export function reaches(bytes: number, threshold: number): boolean {
  return bytes >= threshold * (1 - MEMORY_TOLERANCE);
}

/** For the start of the daemon and of commands. Raises E_MACHINE where memory is too short, or short and nobody accepted that. */
export function assertMemory(facts: MemoryFacts, isRiskAccepted: boolean): void {
  const verdict = checkMemory(facts);
  if (verdict === "enough" || (verdict === "risky" && isRiskAccepted)) return;
  const { minimum, risky } = THRESHOLDS.memory;
  const there = formatGiB(usableBytes(facts));
  const what =
    facts.limitBytes !== undefined && facts.limitBytes < facts.totalBytes
      ? `Backroom may use ${there} of memory here, by the limit of a container or service manager`
      : `this computer has ${there} of memory`;
  throw verdict === "refused"
    ? new BackroomError("E_MACHINE", what, {
        why: `with less than ${formatGiB(minimum)} downloads and circuits break off in the middle, others' too`,
        fix: "use a computer with more memory, or raise the limit; backroom doctor shows all that it looks at",
      })
    : new BackroomError("E_MACHINE", what, {
        why: `with less than ${formatGiB(risky)} the system may end the program in the middle of its work`,
        fix: "to risk it, add --accept-risk once: that is remembered",
      });
}
