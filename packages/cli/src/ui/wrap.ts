/**
 * Breaks text between words so that no line is wider than `columns`, unless a single word is; lines after the first begin with `hang` spaces.
 * Terminals break in the middle of words.
 */
export function wrap(text: string, columns: number, hang = 0): string {
  return text
    .split("\n")
    .map((line) => wrapLine(line, Math.max(20, columns), hang))
    .join("\n");
}

function wrapLine(line: string, columns: number, hang: number): string {
  // What is indented or set in columns keeps its blanks as long as it fits.
  if (line.length <= columns) return line;
  const lead = /^ */.exec(line)?.[0] ?? "";
  const lines: string[] = [];
  let current = "";
  for (const word of line.slice(lead.length).split(" ")) {
    const indent = lines.length === 0 ? lead : `${lead}${" ".repeat(hang)}`;
    if (current === "") current = indent + word;
    else if (current.length + 1 + word.length <= columns) current += ` ${word}`;
    else {
      lines.push(current);
      current = `${lead}${" ".repeat(hang)}${word}`;
    }
  }
  return [...lines, current].join("\n");
}
