import type { ReactNode } from "react";
import { ProgressBar } from "react-aria-components";

/** `tone` says how it goes besides the number: done, waiting, failed. */
export function Bar({
  label,
  value,
  tone = "going",
}: {
  readonly label: string;
  /** From 0 to 1. */
  readonly value: number;
  readonly tone?: "going" | "done" | "waiting" | "failed";
}): ReactNode {
  return (
    <ProgressBar className={`bar bar-${tone}`} aria-label={label} value={Math.floor(value * 1000) / 10}>
      {({ percentage = 0 }) => <span className="bar-fill" style={{ width: `${percentage}%` }} />}
    </ProgressBar>
  );
}
