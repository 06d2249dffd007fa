/** What would move the cursor or turn the reading direction; file names of strangers may hold any of it. */
const UNSHOWABLE = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Text with such characters written out as `\u{202e}`, so that a terminal shows them and does nothing else. */
export function showable(text: string): string {
  return text.replace(UNSHOWABLE, (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The same for what has to stay on one line, such as a name in a table. */
export function showableLine(text: string): string {
  return showable(text).replaceAll("\n", "\\u{a}");
}

/** JSON that means the same and holds none of these characters either, since people look at it in terminals, too. */
export function showableJson(json: string): string {
  return json.replace(UNSHOWABLE, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
