import { QueryClient } from "@tanstack/react-query";

/** What was asked for and is kept for a while. */
export const queries = new QueryClient({ defaultOptions: { queries: { retry: 1, staleTime: 5_000 } } });

/** There is more to read of what a transfer's notes say; without an id, perhaps of any. */
export function notesChanged(id?: string): void {
  void queries.invalidateQueries({ queryKey: id === undefined ? ["notes"] : ["notes", id] });
}
