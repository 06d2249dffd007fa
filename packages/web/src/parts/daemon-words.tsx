import type { ReactNode } from "react";
import type { Messages } from "../messages/en.ts";
import { useMessages } from "../messages/languages.tsx";
import { showable } from "./format.ts";

/** An error, or what a transfer waits for, as the daemon has it: in English, in words in which there may be a name that a stranger chose. */
interface DaemonWords {
  readonly code?: string | undefined;
  readonly what: string;
  readonly why?: string | undefined;
  readonly fix?: string | undefined;
}

/** The daemon's error as it comes: of our own classes, and of whatever else may be thrown. */
export function wordsOf(error: unknown): DaemonWords {
  const { code, message, why, fix } = error as Partial<DaemonWords> & { readonly message?: string };
  return { code, what: message ?? "?", why, fix };
}

/** In one sentence, in the page's language as far as that has one for the code. */
export function shortly({ code, what }: DaemonWords, t: Pick<Messages, "said">): string {
  return t.said[code ?? ""]?.what ?? showable(what);
}

/** The same, with what the daemon says in brackets: it may know more. */
export function inFull(words: DaemonWords, t: Pick<Messages, "said">): string {
  const [short, exactly] = [shortly(words, t), showable(words.what)];
  return short === exactly ? short : `${short} (${exactly})`;
}

/** As one line: what went wrong and what may help. */
export function sentenceOf(error: unknown, t: Pick<Messages, "said">): string {
  const words = wordsOf(error);
  const fix = t.said[words.code ?? ""]?.fix ?? words.fix;
  return `${shortly(words, t)}${fix === undefined ? "" : `. ${showable(fix)}`}`;
}

/**
 * What is the matter, why, and what to do. Where the page's language has sentences for the code, those, and below them what the daemon says: it may know more, such
 * as which name it is about.
 */
export function Words({ words }: { readonly words: DaemonWords }): ReactNode {
  const t = useMessages();
  const { code, what, why, fix } = words;
  const said = t.said[code ?? ""];
  if (said === undefined) {
    return (
      <>
        <strong>{showable(what)}</strong>
        {why !== undefined && <p>{showable(why)}</p>}
        {fix !== undefined && <p className="fix">{showable(fix)}</p>}
      </>
    );
  }
  return (
    <>
      <strong>{said.what}</strong>
      <p className="fix">{said.fix}</p>
      <p className="muted">
        {t.saidExactly} <span lang="en">{showable(why === undefined ? what : `${what}: ${why}`)}</span>
      </p>
    </>
  );
}
