import type { Random } from "@backroom/core/base/random.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH = 16;

/** As the API's `Id`: names something in this daemon alone. */
export function newId(random: Random): string {
  return Array.from({ length: LENGTH }, () => LETTERS[random.below(LETTERS.length)]).join("");
}
