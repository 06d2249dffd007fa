/** The word that `given` was most likely meant to be, or undefined where none comes near. */
export function nearest(given: string, words: readonly string[]): string | undefined {
  const wanted = given.toLowerCase();
  // Whoever leaves the first part out, or takes another one, still wrote the second.
  const tail = wanted.slice(wanted.lastIndexOf(".") + 1);
  let best: { readonly word: string; readonly cost: number } | undefined;
  for (const word of words) {
    const whole = editDistance(wanted, word);
    const parts = editDistance(tail, word.slice(word.lastIndexOf(".") + 1)) + 1;
    const cost = Math.min(whole, parts);
    if (cost <= Math.max(2, Math.floor(tail.length / 2)) && (best === undefined || cost < best.cost)) {
      best = { word, cost };
    }
  }
  return best?.word;
}

/** How many letters have to be added, taken away, changed or swapped with their neighbour (optimal string alignment). */
export function editDistance(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const changed = (last[j - 1] as number) + (one[i - 1] === other[j - 1] ? 0 : 1);
      let cost = Math.min(changed, (last[j] as number) + 1, (row[j - 1] as number) + 1);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] as number) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[other.length] as number;
}
