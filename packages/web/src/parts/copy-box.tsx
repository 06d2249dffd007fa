import { useState, type ReactNode } from "react";
import { useMessages } from "../messages/languages.tsx";
import { Button } from "./basics.tsx";

const SHOWN_MS = 2000;

/** A text to be handed on, with a button that copies it. */
export function CopyBox({ text, label }: { readonly text: string; readonly label: string }): ReactNode {
  const t = useMessages();
  const [outcome, setOutcome] = useState<"idle" | "copied" | "refused">("idle");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome("copied");
      setTimeout(() => setOutcome("idle"), SHOWN_MS);
    } catch {
      setOutcome("refused");
    }
  };
  return (
    <div className="copy-box">
      <code tabIndex={0} aria-label={label}>
        {text}
      </code>
      <Button kind="primary" onPress={() => void copy()}>
        {outcome === "copied" ? t.copied : t.copy}
      </Button>
      <p role="status" className="muted">
        {outcome === "refused" ? t.links.uncopied : ""}
      </p>
    </div>
  );
}
