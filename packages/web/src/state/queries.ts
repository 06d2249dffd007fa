import { QueryClient } from "@tanstack/react-query";

/** What was asked for and is kept for a while. */
export const queries = new QueryClient({ defaultOptions: { queries: { retry: 1, staleTime: 5_000 } } });

/** There is more to read in a transfer's notes. */
export function notesChanged(id: string): void {
  void queries.invalidateQueries({ queryKey: ["notes", id] });
}

/** Whatever was asked for may be old: the daemon was away. */
export function everythingChanged(): void {
  void queries.invalidateQueries();
}
