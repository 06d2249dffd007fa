import { eastAsianWidth } from "get-east-asian-width";

const ASCII = /^[\u0020-\u007e]*$/;
/** What takes no room of its own: marks that combine, joiners, selectors, and the later letters of a Hangul syllable. */
const NO_ROOM = /^[\p{Mn}\p{Me}\p{Cf}\p{Default_Ignorable_Code_Point}\u1160-\u11ff]$/u;
/** Asks for the picture of a letter that has one, which is two columns wide. */
const AS_PICTURE = "\ufe0f";
/** Several become one picture. */
const PICTURE = /[\p{Extended_Pictographic}\p{Regional_Indicator}]/u;

const clusters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** How many columns of a terminal a text takes that has no control characters in it. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of clusters.segment(text)) width += clusterWidth(segment);
  return width;
}

/** The beginning of a text that is at most `width` columns wide, its end marked where something is missing. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let shown = "";
  let used = 0;
  for (const { segment } of clusters.segment(text)) {
    used += clusterWidth(segment);
    if (used > width - 1) break;
    shown += segment;
  }
  return `${shown}…`;
}

function clusterWidth(cluster: string): number {
  if (cluster.includes(AS_PICTURE)) return 2;
  const widths = [...cluster]
    .filter((letter) => !NO_ROOM.test(letter))
    .map((letter) => eastAsianWidth(letter.codePointAt(0) ?? 0));
  if (PICTURE.test(cluster)) return widths.length > 1 ? 2 : (widths[0] ?? 0);
  return widths.reduce((sum, width) => sum + width, 0);
}
