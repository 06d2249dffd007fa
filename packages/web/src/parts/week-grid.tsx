import { useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { useMessages } from "../messages/languages.tsx";
import { DAYS, HOURS } from "../state/week.ts";

/** The hours of a week, each on or off: by dragging, or with arrow keys and space. */
export function WeekGrid({
  cells,
  onChange,
}: {
  readonly cells: ReadonlySet<number>;
  readonly onChange: (cells: ReadonlySet<number>) => void;
}): ReactNode {
  const t = useMessages();
  const grid = useRef<HTMLTableElement>(null);
  const [focused, setFocused] = useState(0);
  /** What dragging turns cells into; undefined while nobody drags. */
  const painting = useRef<boolean | undefined>(undefined);

  const paint = (cell: number, on: boolean): void => {
    if (cells.has(cell) === on) return;
    const next = new Set(cells);
    if (on) next.add(cell);
    else next.delete(cell);
    onChange(next);
  };
  const onPointer = (event: PointerEvent): void => {
    const cell = cellAt(event);
    if (cell === undefined) return;
    if (event.type === "pointerdown") painting.current = !cells.has(cell);
    if (painting.current !== undefined && event.buttons === 1) paint(cell, painting.current);
  };
  const onKey = (event: KeyboardEvent): void => {
    const day = Math.floor(focused / HOURS);
    const hour = focused % HOURS;
    const [toDay, toHour] = moved(event.key, day, hour);
    if (event.key === " ") paint(focused, !cells.has(focused));
    else if (toDay === day && toHour === hour) return;
    event.preventDefault();
    const to = HOURS * toDay + toHour;
    setFocused(to);
    grid.current?.querySelector<HTMLElement>(`[data-cell="${to}"]`)?.focus();
  };

  return (
    <div className="scroll-x">
      <table
        className="week"
        role="grid"
        aria-label={t.settings.schedule}
        ref={grid}
        onPointerDown={onPointer}
        onPointerMove={onPointer}
        onPointerUp={() => (painting.current = undefined)}
        onPointerLeave={() => (painting.current = undefined)}
        onKeyDown={onKey}
      >
        <thead>
          <tr>
            <td />
            {Array.from({ length: HOURS }, (_, hour) => (
              <th key={hour} scope="col">
                {hour % 3 === 0 ? hour : <span className="hidden">{hour}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: DAYS }, (_, day) => (
            <tr key={day}>
              <th scope="row">
                <abbr title={t.settings.days[day]}>{t.settings.daysShort[day]}</abbr>
              </th>
              {Array.from({ length: HOURS }, (_, hour) => {
                const cell = HOURS * day + hour;
                const on = cells.has(cell);
                return (
                  <td
                    key={hour}
                    role="gridcell"
                    data-cell={cell}
                    aria-selected={on}
                    aria-label={t.settings.cell(t.settings.days[day] ?? "", hour, on)}
                    tabIndex={cell === focused ? 0 : -1}
                    onFocus={() => setFocused(cell)}
                  />
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** By the pointer, since a finger that drags stays with the cell where it began. */
function cellAt(event: PointerEvent): number | undefined {
  const element = document
    .elementFromPoint(event.clientX, event.clientY)
    ?.closest<HTMLElement>("[data-cell]");
  return element === null || element === undefined ? undefined : Number(element.dataset["cell"]);
}

function moved(key: string, day: number, hour: number): readonly [day: number, hour: number] {
  if (key === "ArrowRight") return [day, Math.min(HOURS - 1, hour + 1)];
  if (key === "ArrowLeft") return [day, Math.max(0, hour - 1)];
  if (key === "ArrowDown") return [Math.min(DAYS - 1, day + 1), hour];
  if (key === "ArrowUp") return [Math.max(0, day - 1), hour];
  if (key === "Home") return [day, 0];
  if (key === "End") return [day, HOURS - 1];
  return [day, hour];
}
