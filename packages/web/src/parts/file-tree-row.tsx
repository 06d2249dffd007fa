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

export function FileTreeRow({ row, index, start, measure, isActive, onFocus, ...tree }: Props): ReactNode {
  const t = useMessages();
  const { node, place, siblings } = row;
  const { isOpen, onToggle, onChoose, onPreview, onSave } = tree;
  const { path, size, file, priority } = node;
  const [doneBytes, wantedBytes] =
    file === undefined ? [node.doneBytes, node.chosenBytes] : [file.doneBytes, size];
  const name = showable(node.name);
  const isFolder = file === undefined;
  const open = isFolder && isOpen(node);
  const tab = isActive ? 0 : -1;
  // What was left out arrives by chance only, where a piece of it was needed for something else.
  const isReadable = priority !== "skip" || file?.doneBytes === size;
  const isTicked = node.chosenCount === node.fileCount;
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
      aria-label={name}
      className={priority === "skip" ? "file file-skipped" : "file"}
      tabIndex={tab}
      style={{ transform: `translateY(${start}px)` }}
      onFocus={() => onFocus(path)}
      onClick={({ target }) =>
        isFolder && (target as HTMLElement).closest("button, input, select") === null && onToggle(path)
      }
    >
      {onChoose !== undefined && (
        <div role="gridcell" className="file-tick">
          <input
            type="checkbox"
            tabIndex={tab}
            aria-label={t.files.fetch(name)}
            checked={isTicked}
            ref={(box) => {
              if (box !== null) box.indeterminate = !isTicked && node.chosenCount > 0;
            }}
            onChange={() => onChoose(path, isTicked ? "skip" : "normal")}
          />
        </div>
      )}
      <div
        role="gridcell"
        className="file-name"
        style={{ paddingInlineStart: `calc(${Math.min(node.level, LEVELS_INDENTED) - 1} * var(--indent))` }}
        title={showable(path)}
      >
        <span
          className={isFolder ? (open ? "fold fold-open" : "fold") : "fold fold-none"}
          aria-hidden="true"
        />
        <bdi>{name}</bdi>
        {isFolder && <span className="muted">{t.files.inFolder(node.fileCount)}</span>}
      </div>
      <div role="gridcell" className="file-size muted">
        {formatBytes(size, t)}
      </div>
      <div role="gridcell" className="file-bar">
        {isReadable && (
          <Bar
            label={`${name}: ${t.transfer.arrived}`}
            value={wantedBytes === 0 ? 1 : doneBytes / wantedBytes}
            tone={doneBytes === wantedBytes ? "done" : "going"}
          />
        )}
      </div>
      {onChoose !== undefined && (
        <div role="gridcell" className="file-priority">
          <select
            className="select"
            tabIndex={tab}
            aria-label={`${t.files.priority}: ${name}`}
            value={priority}
            onChange={({ target }) => onChoose(path, target.value as FilePriority)}
          >
            {priority === "mixed" && <option value="mixed">{t.files.mixed}</option>}
            {OFFERED.map((one) => (
              <option key={one} value={one}>
                {t.files.priorities[one]}
              </option>
            ))}
          </select>
        </div>
      )}
      <div role="gridcell" className="file-actions">
        {!isFolder && isReadable && (
          <>
            {kindOf(path) !== undefined && (
              <Button
                aria-label={`${t.transfer.look}: ${name}`}
                excludeFromTabOrder={!isActive}
                onPress={() => onPreview(path)}
              >
                {t.transfer.look}
              </Button>
            )}
            <Button
              aria-label={`${t.transfer.download}: ${name}`}
              excludeFromTabOrder={!isActive}
              onPress={() => onSave(path)}
            >
              {t.transfer.download}
            </Button>
          </>
        )}
      </div>
    </div>
  );
}
