import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { useDeferredValue, useMemo, useState, type ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { foundRows, openRows, treeOf, type FileNode, type FilePriority } from "../state/file-tree.ts";
import { useShareFiles } from "../state/share-files.ts";
import { attempt } from "../state/transfer-work.ts";
import { Button, Field, Trouble } from "./basics.tsx";
import { FileTree } from "./file-tree.tsx";
import { formatBytes, showable } from "./format.ts";
import { Preview, save } from "./preview.tsx";

/** With fewer files all folders are open at first: nobody has to look for what there is. */
const ALL_OPEN_MOST = 200;
/** From here on searching is quicker than looking. */
const SEARCH_LEAST = 12;
/** As many as are taken at once. */
const CHOSEN_MOST = 10_000;

/** The files of a transfer: which are fetched, how soon, what is here of each. */
export function FileList({ transfer }: { readonly transfer: Transfer }): ReactNode {
  const t = useMessages();
  const { id } = transfer;
  const { files, total, isRead, error, refusal, choose } = useShareFiles(transfer);
  const [shown, setShown] = useState<{ readonly path: string; readonly url: string } | null>(null);
  const [search, setSearch] = useState("");
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const wanted = useDeferredValue(search.trim());
  const tree = useMemo(() => treeOf(files), [files]);
  const isOpen = (folder: FileNode): boolean => isOpenAtFirst(tree, folder) !== toggled.has(folder.path);
  const rows = useMemo(
    () => (wanted === "" ? openRows(tree, isOpen) : foundRows(files, wanted)),
    [tree, files, wanted, toggled],
  );
  const toggle = (path: string): void => {
    const next = new Set(toggled);
    if (!next.delete(path)) next.add(path);
    setToggled(next);
  };
  const chooseAll = (priority: FilePriority): void =>
    choose(wanted === "" ? [{ path: "", priority }] : rows.map(({ node: { path } }) => ({ path, priority })));
  /** An address that holds for a while, on the content port. */
  const withUrl = (path: string, use: (url: string) => void): void =>
    attempt(
      call("contentUrl", { id, path }).then(({ url }) => use(url)),
      id,
    );

  // A list that is there stays, also while the daemon is away.
  if (error !== null && (!isRead || isNotHeld(error))) return <Unlisted transfer={transfer} error={error} />;
  if (!isRead) return <p className="muted">{t.files.later}</p>;
  if (total === 0) return <p className="muted">{t.files.empty}</p>;
  const isChosen = transfer.role === "get";
  return (
    <>
      <div className="files-head">
        <p role="status">
          {isChosen && tree.chosenCount < tree.fileCount
            ? t.files.chosen(
                tree.chosenCount,
                tree.fileCount,
                formatBytes(tree.chosenBytes, t),
                formatBytes(tree.size, t),
              )
            : t.files.count(tree.fileCount, formatBytes(tree.size, t))}
        </p>
        {isChosen && rows.length <= CHOSEN_MOST && (
          <div className="row">
            <Button onPress={() => chooseAll("normal")}>{wanted === "" ? t.files.all : t.files.these}</Button>
            <Button onPress={() => chooseAll("skip")}>
              {wanted === "" ? t.files.none : t.files.notThese}
            </Button>
          </div>
        )}
        {files.length >= SEARCH_LEAST && (
          <Field label={t.files.search} type="search" value={search} onChange={setSearch} />
        )}
      </div>
      <Trouble error={refusal} />
      {files.length < total && <p className="warning">{t.files.tooMany(files.length, total)}</p>}
      {rows.length === 0 ? (
        <p className="muted">{t.files.noneFound}</p>
      ) : (
        <FileTree
          rows={rows}
          isOpen={isOpen}
          onToggle={toggle}
          onChoose={isChosen ? (path, priority) => choose([{ path, priority }]) : undefined}
          onPreview={(path) => withUrl(path, (url) => setShown({ path, url }))}
          onSave={(path) => withUrl(path, save)}
        />
      )}
      {shown !== null && <Preview {...shown} onClose={() => setShown(null)} />}
    </>
  );
}

function isOpenAtFirst(tree: FileNode, folder: FileNode): boolean {
  return tree.fileCount <= ALL_OPEN_MOST || (folder.level === 1 && tree.children.length === 1);
}

/** Why there is no list, as what is to be expected in that state. */
function Unlisted({
  transfer: { role, state, paths },
  error,
}: {
  readonly transfer: Transfer;
  readonly error: unknown;
}): ReactNode {
  const t = useMessages();
  // A download that is not handed out keeps no pack to list: what there is to see is where the files went.
  if (state === "done" && paths.length > 0) {
    return (
      <>
        <p>{t.transfer.at}:</p>
        <ul className="plain">
          {paths.map((place) => (
            <li key={place}>
              <bdi>{showable(place)}</bdi>
            </li>
          ))}
        </ul>
      </>
    );
  }
  if (!isNotHeld(error)) return <Trouble error={error} />;
  return <p className="muted">{role === "share" ? t.files.sealing : t.files.paused}</p>;
}

function isNotHeld(error: unknown): boolean {
  return (error as { readonly code?: string }).code === "E_NOT_HELD";
}
