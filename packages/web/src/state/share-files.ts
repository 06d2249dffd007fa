import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { call } from "../api/daemon.ts";
import { withChoices, type FileChoice, type FileEntry } from "./file-tree.ts";
import { queries } from "./queries.ts";

/** As many as the daemon gives at once. */
const PAGE = 5000;
/** Whoever shares more than fit a window's memory well: the rest is chosen by folders, or on the command line. */
const FILES_MOST = 100_000;
/** Lists that are read anew at every hundredth of a download; longer ones at every twentieth. */
const SHORT = 2000;

interface Read {
  readonly files: readonly FileEntry[];
  readonly total: number;
}

export interface ShareFiles extends Read {
  /** False until the list has been read once. */
  readonly isRead: boolean;
  /** Why it cannot be read; null where it can. */
  readonly error: unknown;
  /** Why the last choice was not taken; null where it was. */
  readonly refusal: unknown;
  /** Seen at once, and taken back where the daemon refuses it. */
  readonly choose: (choices: readonly FileChoice[]) => void;
}

/** The files of a transfer, as far as they are chosen and have arrived. While its index is not there yet, the daemon answers once it is. */
export function useShareFiles({
  id,
  state,
  doneBytes,
  totalBytes,
  skippedCount,
}: Pick<Transfer, "id" | "state" | "doneBytes" | "totalBytes" | "skippedCount">): ShareFiles {
  const query = useQuery({
    queryKey: ["files", id],
    queryFn: ({ signal }) => readAll(id, signal),
    retry: false,
    staleTime: Infinity,
    gcTime: 0,
  });
  const { data, refetch } = query;
  const [waiting, setWaiting] = useState<readonly (readonly FileChoice[])[]>([]);
  const [refusal, setRefusal] = useState<unknown>(null);
  const last = useRef<Promise<void>>(Promise.resolve());

  const seenState = useRef(state);
  useEffect(() => {
    if (seenState.current === state) return;
    seenState.current = state;
    void refetch();
  }, [state, refetch]);
  const steps = (data?.files.length ?? 0) <= SHORT ? 100 : 20;
  const step = Math.floor((steps * doneBytes) / Math.max(1, totalBytes));
  const seenStep = useRef(step);
  useEffect(() => {
    if (seenStep.current === step) return;
    seenStep.current = step;
    // A long list may take longer than a step.
    void refetch({ cancelRefetch: false });
  }, [step, refetch]);
  // Chosen elsewhere.
  const isOther =
    data !== undefined &&
    data.files.length === data.total &&
    waiting.length === 0 &&
    skippedCount !== data.files.filter(({ priority }) => priority === "skip").length;
  useEffect(() => {
    if (isOther) void refetch({ cancelRefetch: false });
  }, [isOther, skippedCount, refetch]);

  const choose = (choices: readonly FileChoice[]): void => {
    setRefusal(null);
    setWaiting((before) => [...before, choices]);
    // One after the other, or an earlier one may come later.
    last.current = last.current.then(async () => {
      try {
        await call("chooseFiles", { id, choices: [...choices] });
        queries.setQueryData<Read>(
          ["files", id],
          (read) => read && { ...read, files: withChoices(read.files, choices) },
        );
      } catch (problem) {
        setRefusal(problem);
      }
      setWaiting((before) => before.filter((one) => one !== choices));
    });
  };

  const files = useMemo(() => withChoices(data?.files ?? [], waiting.flat()), [data, waiting]);
  return {
    files,
    total: data?.total ?? 0,
    isRead: data !== undefined,
    error: query.error,
    refusal,
    choose,
  };
}

async function readAll(id: string, signal: AbortSignal): Promise<Read> {
  const files: FileEntry[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await call(
      "files",
      { id, limit: PAGE, ...(after === undefined ? {} : { after }) },
      { signal },
    );
    files.push(...page.files);
    if (page.next === null || files.length >= FILES_MOST) return { files, total: page.total };
    after = page.next;
  }
}
