import type { ReactNode } from "react";
import { Button } from "./basics.tsx";
import { showable } from "./format.ts";

/** Things that are kept until somebody removes them, a line each. */
export function KeptList({
  items,
  removal,
  onRemove,
}: {
  readonly items: readonly { readonly id: string; readonly name: string; readonly note: string }[];
  /** The word on the button that removes one. */
  readonly removal: string;
  readonly onRemove: (id: string) => void;
}): ReactNode {
  return (
    <ul className="plain">
      {items.map(({ id, name, note }) => (
        <li key={id} className="row">
          <bdi>{showable(name)}</bdi>
          <span className="muted">{note}</span>
          <Button aria-label={`${removal}: ${showable(name)}`} onPress={() => onRemove(id)}>
            {removal}
          </Button>
        </li>
      ))}
    </ul>
  );
}
