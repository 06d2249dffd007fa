import { InvalidArgumentError } from "commander";

/** Number options, refused with a sentence when they are out of range. */
export function parsePort(text: string): number {
  return parseCount(0, 65_535)(text);
}

export function parseCount(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** Nothing, as of a variable that is not set, would be the folder that somebody happens to be in. */
export function parsePlace(text: string): string {
  if (text === "") throw new InvalidArgumentError("It is the path of a folder.");
  return text;
}

/** Of an option that may be given more than once. */
export function several(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}
