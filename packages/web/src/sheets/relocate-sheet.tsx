import { useState, type ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Field } from "../parts/basics.tsx";
import { ConfirmSheet } from "./confirm-sheet.tsx";

export function RelocateSheet({
  id,
  onClose,
}: {
  readonly id: string;
  readonly onClose: () => void;
}): ReactNode {
  const t = useMessages();
  const [output, setOutput] = useState("");
  return (
    <ConfirmSheet
      title={t.relocate.title}
      confirm={t.start}
      run={() => call("relocate", { id, output })}
      onClose={onClose}
    >
      <Field label={t.relocate.folder} value={output} onChange={setOutput} autoFocus />
    </ConfirmSheet>
  );
}
