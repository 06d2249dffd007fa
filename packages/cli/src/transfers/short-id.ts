/** Enough to tell some ten thousand transfers apart; commands take any beginning that is unique. */
const SHORT = 8;

export function shortId(id: string): string {
  return id.slice(0, SHORT);
}
