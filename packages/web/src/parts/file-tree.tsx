import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useMessages } from "../messages/languages.tsx";
import type { FileNode, FilePriority, FileRow } from "../state/file-tree.ts";
import { FileTreeRow } from "./file-tree-row.tsx";
import { focusRow } from "./focus-row.ts";

const ROW_PX = 48;
const PAGE_ROWS = 8;

export interface FileTreeProps {
  readonly rows: readonly FileRow[];
  readonly isOpen: (folder: FileNode) => boolean;
  readonly onToggle: (path: string) => void;
  /** Undefined where nothing is chosen, as of what is shared from here. */
  readonly onChoose: ((path: string, priority: FilePriority) => void) | undefined;
  readonly onPreview: (path: string) => void;
  readonly onSave: (path: string) => void;
}

/**
 * Any number of files and folders: only rows in sight are in the document. One row is in the order of tabs, with its controls; arrow keys go from row to
 * row, left and right close and open folders, space ticks, Enter opens (ARIA, treegrid).
 */
export function FileTree(props: FileTreeProps): ReactNode {
  const { rows, isOpen, onToggle, onChoose } = props;
  const t = useMessages();
  const [active, setActive] = useState("");
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]?.node.path ?? index,
    overscan: 8,
  });
  const items = virtual.getVirtualItems();
  const isInSight = items.some(({ key }) => key === active);

  const focus = (to: number): void => {
    const index = Math.max(0, Math.min(rows.length - 1, to));
    focusRow(scroller.current, index + 1, () => virtual.scrollToIndex(index));
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    const at = Number(target.getAttribute("aria-rowindex")) - 1;
    const row = rows[at];
    // Keys in a row's controls are theirs.
    if (target.role !== "row" || row === undefined) return;
    const { node } = row;
    const isFolder = node.file === undefined;
    const actions: Readonly<Record<string, (() => void) | undefined>> = {
      ArrowDown: () => focus(at + 1),
      ArrowUp: () => focus(at - 1),
      PageDown: () => focus(at + PAGE_ROWS),
      PageUp: () => focus(at - PAGE_ROWS),
      Home: () => focus(0),
      End: () => focus(rows.length - 1),
      ArrowRight: () => {
        if (isFolder && isOpen(node)) focus(at + 1);
        else if (isFolder) onToggle(node.path);
      },
      ArrowLeft: () => {
        if (isFolder && isOpen(node)) onToggle(node.path);
        else focus(parentOf(rows, at));
      },
      Enter: isFolder ? () => onToggle(node.path) : undefined,
      " ": onChoose && (() => onChoose(node.path, node.chosenCount === node.fileCount ? "skip" : "normal")),
    };
    const act = actions[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  return (
    <div
      className={onChoose === undefined ? "files" : "files files-chosen"}
      ref={scroller}
      role="treegrid"
      aria-label={t.transfer.files}
      aria-rowcount={rows.length}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" style={{ height: virtual.getTotalSize() }}>
        {items.map(({ key, index, start }, order) => (
          <FileTreeRow
            key={key}
            {...props}
            row={rows[index] as FileRow}
            index={index}
            start={start}
            measure={virtual.measureElement}
            isActive={isInSight ? key === active : order === 0}
            onFocus={setActive}
          />
        ))}
      </div>
    </div>
  );
}

/** The row that a row is in, or itself at the top. */
function parentOf(rows: readonly FileRow[], at: number): number {
  const level = rows[at]?.node.level ?? 1;
  for (let before = at - 1; before >= 0; before--) {
    if ((rows[before]?.node.level ?? 0) < level) return before;
  }
  return at;
}
