import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { useMemo, useSyncExternalStore } from "react";
import { call } from "../api/daemon.ts";
import { live, useLive } from "./live.ts";

const PAGE = 1000;

/** Every transfer by id. Rows follow their own id, so that one change renders one row. */
const byId = new Map<string, Transfer>();
const listeners = new Map<string, Set<() => void>>();
/** All, newest first. A new array whenever anything changed. */
const all = live<readonly Transfer[]>([]);
/** False until the list has been read once. */
export const isLoaded = live(false);

/** Asks for all of them anew. Raises BackroomError. */
export async function loadTransfers(): Promise<void> {
  const fresh: Transfer[] = [];
  let after: string | undefined;
  do {
    const page = await call("listTransfers", { limit: PAGE, ...(after === undefined ? {} : { after }) });
    fresh.push(...page.transfers);
    after = page.next ?? undefined;
  } while (after !== undefined);
  const there = new Set(fresh.map(({ id }) => id));
  const gone = [...byId.keys()].filter((id) => !there.has(id));
  applyTransfers(fresh, gone);
  isLoaded.set(true);
}

export function applyTransfers(changed: readonly Transfer[], removed: readonly string[]): void {
  for (const transfer of changed) byId.set(transfer.id, transfer);
  for (const id of removed) byId.delete(id);
  all.set([...byId.values()].sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? -1 : 1)));
  for (const id of [...changed.map((transfer) => transfer.id), ...removed]) {
    for (const listener of listeners.get(id) ?? []) listener();
  }
}

export function useTransfers(): readonly Transfer[] {
  return useLive(all);
}

export function transferById(id: string): Transfer | undefined {
  return byId.get(id);
}

export function useTransfer(id: string): Transfer | undefined {
  const subscribe = useMemo(
    () => (listener: () => void) => {
      const those = listeners.get(id) ?? new Set();
      listeners.set(id, those.add(listener));
      return () => {
        those.delete(listener);
        if (those.size === 0) listeners.delete(id);
      };
    },
    [id],
  );
  return useSyncExternalStore(subscribe, () => byId.get(id));
}
