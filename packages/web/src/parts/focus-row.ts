/**
 * Focuses the row with this `aria-rowindex` in a list of which only the rows in sight are in the document: at once where it is there, for the next key may come before
 * the next frame, else once `scrollThere` has put it there.
 */
export function focusRow(list: HTMLElement | null, ariaRowIndex: number, scrollThere: () => void): void {
  const rowThere = (): HTMLElement | null | undefined =>
    list?.querySelector<HTMLElement>(`[aria-rowindex="${ariaRowIndex}"]`);
  const there = rowThere();
  if (there) return there.focus();
  scrollThere();
  requestAnimationFrame(() => rowThere()?.focus());
}
