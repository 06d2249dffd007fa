import { generate } from "lean-qr";

/** Blank modules around the code, without which readers do not find it. */
const QUIET = 2;
/** Two modules above each other in one letter: upper and lower half, dark (1) or light (0). */
const HALVES = [" ", "▄", "▀", "█"] as const;

/**
 * A link as a QR code, a line of text for two rows of modules. Dark on light, whatever the terminal's colours are, is up to whoever prints it: here a
 * full block is a light module. In capital letters, which mean the same in a link and take a third less room.
 */
export function qrLines(link: string): string[] {
  const code = generate(link.toUpperCase());
  const isLight = (x: number, y: number): boolean => !code.get(x, y);
  const lines: string[] = [];
  for (let y = -QUIET; y < code.size + QUIET; y += 2) {
    let line = "";
    for (let x = -QUIET; x < code.size + QUIET; x++) {
      const upper = isLight(x, y) ? 2 : 0;
      const lower = isLight(x, y + 1) ? 1 : 0;
      line += HALVES[upper + lower];
    }
    lines.push(line);
  }
  return lines;
}
