import { useEffect } from "react";
import { ask } from "./asking.ts";
import { goTo } from "./place.ts";
import { chosen } from "./choice.ts";
import { pauseOrResume } from "./transfer-work.ts";
import { transferById } from "./transfers.ts";

/** The keys that work anywhere but where text is typed or a sheet is open. */
export function useKeys(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target as HTMLElement;
      if (target.closest("input, textarea, select, [contenteditable], [role=dialog], [role=menu]") !== null)
        return;
      if (act(event.key, target)) event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

function act(key: string, target: HTMLElement): boolean {
  if (key === "a") return ask({ kind: "open", text: "" });
  if (key === "s") return ask({ kind: "share", files: [] });
  if (key === "?") {
    goTo("help");
    return true;
  }
  if (key === "/") {
    goTo("transfers");
    setTimeout(() => document.querySelector<HTMLInputElement>("[data-search] input")?.focus(), 0);
    return true;
  }
  const transfer = transferById(chosen.get() ?? "");
  // A focused button or link has its own use of the space bar.
  if (
    transfer === undefined ||
    (key === " " && target.closest("button, a, [role=tab], summary, [role=switch]") !== null)
  )
    return false;
  if (key === " ") {
    pauseOrResume(transfer);
    return true;
  }
  if (key === "Delete" || key === "Backspace") return ask({ kind: "remove", id: transfer.id });
  return false;
}
