import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { lazy, Suspense, type ReactNode } from "react";
import { useMessages } from "../messages/languages.tsx";
import { canResume, pauseOrResume } from "../state/transfer-work.ts";
import { Button } from "./basics.tsx";
import { showable } from "./format.ts";

// Menus are half as large as all the rest that is seen first.
const TransferMenu = lazy(async () => ({ default: (await import("./transfer-menu.tsx")).TransferMenu }));

/** What can be done with a transfer in its state: one button for what is likely, a menu for the rest. */
export function TransferActions({ transfer }: { readonly transfer: Transfer }): ReactNode {
  const t = useMessages();
  const name = showable(transfer.name) || t.transfers.unnamed;
  const resumes = canResume(transfer.state);
  return (
    <>
      {transfer.state !== "done" && (
        <Button
          aria-label={`${resumes ? t.action.resume : t.action.pause}: ${name}`}
          onPress={() => pauseOrResume(transfer)}
        >
          {resumes ? t.action.resume : t.action.pause}
        </Button>
      )}
      <Suspense fallback={<Button aria-label={`${t.action.more}: ${name}`}>⋯</Button>}>
        <TransferMenu transfer={transfer} name={name} />
      </Suspense>
    </>
  );
}
