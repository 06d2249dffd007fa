/** What would move the cursor, end the line or turn the reading direction; file names of strangers may hold any of it. */
const UNSHOWABLE = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Text with such characters written out as `\u{202e}`, so that a terminal shows them and does nothing else. */
export function showable(text: string): string {
  return text.replace(UNSHOWABLE, (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`);
}
