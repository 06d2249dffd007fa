import { FILE_PRIORITIES } from "@backroom/api/words.ts";
import type { ReactNode } from "react";
import { useMessages } from "../messages/languages.tsx";
import type { FilePriority, FileRow } from "../state/file-tree.ts";
import { Bar } from "./bar.tsx";
import { Button } from "./basics.tsx";
import type { FileTreeProps } from "./file-tree.tsx";
import { formatBytes, showable } from "./format.ts";
import { kindOf } from "./preview.tsx";

/** Deeper ones stand no further to the right: a narrow screen would have no room for their names. */
const LEVELS_INDENTED = 8;
/** As people read them, what comes first at the top. */
const OFFERED = FILE_PRIORITIES.toReversed();

interface Props extends FileTreeProps {
  readonly row: FileRow;
  readonly index: number;
  readonly start: number;
  readonly measure: (element: HTMLElement | null) => void;
  /** The row that tabs lead to. */
  readonly isActive: boolean;
  readonly onFocus: (path: string) => void;
}

/** One file or folder of the tree, as a row of a treegrid: its box, name, size, how much is here, how soon it comes, and what can be done with it. */
export function FileTreeRow({ row, index, start, measure, isActive, onFocus, ...tree }: Props): ReactNode {
  const { node, place, siblings } = row;
  const { isOpen, onToggle, onChoose } = tree;
  const { path, file, priority } = node;
  const isFolder = file === undefined;
  const open = isFolder && isOpen(node);
  // What was left out arrives by chance only, where a piece of it was needed for something else.
  const isReadable = priority !== "skip" || file?.doneBytes === node.size;
  const cell: CellProps = { node, name: showable(node.name), tab: isActive ? 0 : -1 };
  return (
    <div
      ref={measure}
      data-index={index}
      role="row"
      aria-rowindex={index + 1}
      aria-level={node.level}
      aria-posinset={place}
      aria-setsize={siblings}
      aria-expanded={isFolder ? open : undefined}
      aria-label={cell.name}
      className={priority === "skip" ? "file file-skipped" : "file"}
      tabIndex={cell.tab}
      style={{ transform: `translateY(${start}px)` }}
      onFocus={() => onFocus(path)}
      onClick={({ target }) =>
        isFolder && (target as HTMLElement).closest("button, input, select") === null && onToggle(path)
      }
    >
      {onChoose !== undefined && <TickCell {...cell} onChoose={onChoose} />}
      <NameCell {...cell} fold={isFolder ? (open ? "fold fold-open" : "fold") : "fold fold-none"} />
      <SizeCell {...cell} />
      <BarCell {...cell} isReadable={isReadable} />
      {onChoose !== undefined && <PriorityCell {...cell} onChoose={onChoose} />}
      <ActionsCell
        {...cell}
        isShown={!isFolder && isReadable}
        onPreview={tree.onPreview}
        onSave={tree.onSave}
      />
    </div>
  );
}

interface CellProps {
  readonly node: FileRow["node"];
  /** As it may be shown. */
  readonly name: string;
  /** 0 in the row that tabs lead to, -1 in every other one. */
  readonly tab: 0 | -1;
}

type OnChoose = NonNullable<FileTreeProps["onChoose"]>;

function TickCell({ node, name, tab, onChoose }: CellProps & { readonly onChoose: OnChoose }): ReactNode {
  const t = useMessages();
  const isTicked = node.chosenCount === node.fileCount;
  return (
    <div role="gridcell" className="file-tick">
      <input
        type="checkbox"
        tabIndex={tab}
        aria-label={t.files.fetch(name)}
        checked={isTicked}
        ref={(box) => {
          if (box !== null) box.indeterminate = !isTicked && node.chosenCount > 0;
        }}
        onChange={() => onChoose(node.path, isTicked ? "skip" : "normal")}
      />
    </div>
  );
}

function NameCell({ node, name, fold }: CellProps & { readonly fold: string }): ReactNode {
  const t = useMessages();
  return (
    <div
      role="gridcell"
      className="file-name"
      style={{ paddingInlineStart: `calc(${Math.min(node.level, LEVELS_INDENTED) - 1} * var(--indent))` }}
      title={showable(node.path)}
    >
      <span className={fold} aria-hidden="true" />
      <bdi>{name}</bdi>
      {node.file === undefined && <span className="muted">{t.files.inFolder(node.fileCount)}</span>}
    </div>
  );
}

function SizeCell({ node }: CellProps): ReactNode {
  const t = useMessages();
  return (
    <div role="gridcell" className="file-size muted">
      {formatBytes(node.size, t)}
    </div>
  );
}

/** Of a folder what has arrived of what is chosen in it, of a file of the whole. */
function BarCell({ node, name, isReadable }: CellProps & { readonly isReadable: boolean }): ReactNode {
  const t = useMessages();
  const { doneBytes } = node.file ?? node;
  const wantedBytes = node.file === undefined ? node.chosenBytes : node.size;
  return (
    <div role="gridcell" className="file-bar">
      {isReadable && (
        <Bar
          label={`${name}: ${t.transfer.arrived}`}
          value={wantedBytes === 0 ? 1 : doneBytes / wantedBytes}
          tone={doneBytes === wantedBytes ? "done" : "going"}
        />
      )}
    </div>
  );
}

function PriorityCell({ node, name, tab, onChoose }: CellProps & { readonly onChoose: OnChoose }): ReactNode {
  const t = useMessages();
  return (
    <div role="gridcell" className="file-priority">
      <select
        className="select"
        tabIndex={tab}
        aria-label={`${t.files.priority}: ${name}`}
        value={node.priority}
        onChange={({ target }) => onChoose(node.path, target.value as FilePriority)}
      >
        {node.priority === "mixed" && <option value="mixed">{t.files.mixed}</option>}
        {OFFERED.map((one) => (
          <option key={one} value={one}>
            {t.files.priorities[one]}
          </option>
        ))}
      </select>
    </div>
  );
}

function ActionsCell({
  node: { path },
  name,
  tab,
  isShown,
  onPreview,
  onSave,
}: CellProps & { readonly isShown: boolean } & Pick<FileTreeProps, "onPreview" | "onSave">): ReactNode {
  const t = useMessages();
  const action = (text: string, act: (path: string) => void): ReactNode => (
    <Button aria-label={`${text}: ${name}`} excludeFromTabOrder={tab === -1} onPress={() => act(path)}>
      {text}
    </Button>
  );
  return (
    <div role="gridcell" className="file-actions">
      {isShown && kindOf(path) !== undefined && action(t.transfer.look, onPreview)}
      {isShown && action(t.transfer.download, onSave)}
    </div>
  );
}
