import type { ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { showable } from "../parts/format.ts";
import { goTo, placeOf } from "../state/place.ts";
import { transferById } from "../state/transfers.ts";
import { ConfirmSheet } from "./confirm-sheet.tsx";

export function RemoveSheet({
  id,
  onClose,
}: {
  readonly id: string;
  readonly onClose: () => void;
}): ReactNode {
  const t = useMessages();
  const name = showable(transferById(id)?.name ?? "") || t.transfers.unnamed;
  const run = async (): Promise<void> => {
    await call("remove", { id });
    if (placeOf(location.hash).argument === id) goTo("transfers");
  };
  return (
    <ConfirmSheet title={t.remove.title} confirm={t.action.remove} kind="danger" run={run} onClose={onClose}>
      <p>{t.remove.text(name)}</p>
    </ConfirmSheet>
  );
}
