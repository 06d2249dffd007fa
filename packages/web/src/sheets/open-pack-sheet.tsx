import { useState, type ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Field } from "../parts/basics.tsx";
import { ConfirmSheet } from "./confirm-sheet.tsx";

/** Opens a stored pack, as with a password that came later. */
export function OpenPackSheet({
  id,
  onClose,
}: {
  readonly id: string;
  readonly onClose: () => void;
}): ReactNode {
  const t = useMessages();
  const [output, setOutput] = useState("");
  const [password, setPassword] = useState("");
  const run = (): Promise<unknown> =>
    call("openTransfer", {
      id,
      ...(output === "" ? {} : { output }),
      ...(password === "" ? {} : { password }),
    });
  return (
    <ConfirmSheet title={t.openPack.title} confirm={t.start} run={run} onClose={onClose}>
      <Field
        label={t.open.folder}
        hint={t.open.folderDefault}
        value={output}
        onChange={setOutput}
        autoFocus
      />
      <Field label={t.share.password} type="password" value={password} onChange={setPassword} />
    </ConfirmSheet>
  );
}
