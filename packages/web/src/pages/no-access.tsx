import { useEffect, type ReactNode } from "react";
import { openSession } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { CopyBox } from "../parts/copy-box.tsx";

/** Seen by whoever has no token: also by other programs' pages, so it says nothing about what is here. */
export function NoAccess(): ReactNode {
  const t = useMessages();
  // An address with a code that is typed into this very tab loads nothing anew.
  useEffect(() => {
    const onHash = (): void => void openSession();
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);
  return (
    <main className="no-access" id="main">
      <img src="/icon.svg" alt="" width="56" height="56" />
      <h1>{t.access.title}</h1>
      <p>{t.access.text}</p>
      <CopyBox text={t.access.command} label={t.access.command} />
    </main>
  );
}
