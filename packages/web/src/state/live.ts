import { useSyncExternalStore } from "react";

/** A value that parts of the page follow. */
export interface Live<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

export function live<T>(initial: T): Live<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useLive<T>(source: Pick<Live<T>, "get" | "subscribe">): T {
  return useSyncExternalStore(source.subscribe, source.get);
}
