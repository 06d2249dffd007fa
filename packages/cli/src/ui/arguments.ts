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

/** Of an option that may be given more than once. */
export function several(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}
