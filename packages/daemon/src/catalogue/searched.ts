/**
 * A text in the form in which names are searched: one for all that people would take for the same letters. Upper case, not lower: there the ways to write one letter
 * meet («ß» and «ss», both Greek sigmas), and no letter depends on the ones beside it, so a part of a name stays a part of it.
 */
export function searched(text: string): string {
  return text.normalize("NFKC").toUpperCase();
}
