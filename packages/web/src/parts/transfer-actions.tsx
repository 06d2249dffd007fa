import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { lazy, Suspense, type ReactNode } from "react";
import { call, sentenceOf } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { notify } from "../state/connection.ts";
import { canResume } from "../state/keys.ts";
import { Button } from "./basics.tsx";
import { showable } from "./format.ts";

// Menus are half as large as all the rest that is seen first.
const TransferMenu = lazy(async () => ({ default: (await import("./transfer-menu.tsx")).TransferMenu }));

/** What can be done with a transfer in its state: one button for what is likely, a menu for the rest. */
export function TransferActions({ transfer }: { readonly transfer: Transfer }): ReactNode {
  const t = useMessages();
  const { id, state } = transfer;
  const name = showable(transfer.name) || t.transfers.unnamed;
  const run = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => {
      notify({ level: "warn", text: sentenceOf(error), transfer: id });
    });
  };
  const resumes = canResume(state);
  return (
    <>
      {state !== "done" && (
        <Button
          aria-label={`${resumes ? t.action.resume : t.action.pause}: ${name}`}
          onPress={() => run(call(resumes ? "resume" : "pause", { id }))}
        >
          {resumes ? t.action.resume : t.action.pause}
        </Button>
      )}
      <Suspense fallback={<Button aria-label={`${t.action.more}: ${name}`}>⋯</Button>}>
        <TransferMenu transfer={transfer} name={name} run={run} />
      </Suspense>
    </>
  );
}
