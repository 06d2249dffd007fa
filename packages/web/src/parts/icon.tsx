import type { ReactNode } from "react";

/** Line drawings on a grid of 24, in the colour of the text beside them. */
const PATHS = {
  transfers: "M8 4v14m0 0-4-4m4 4 4-4M16 20V6m0 0-4 4m4-4 4 4",
  network:
    "M5 12a2 2 0 1 0 0-.01M12 5a2 2 0 1 0 0-.01M12 19a2 2 0 1 0 0-.01M19 12a2 2 0 1 0 0-.01M7 11l4-4m2 0 4 4m0 2-4 4m-2 0-4-4",
  settings: "M4 7h9m4 0h3M4 17h3m4 0h9M15 5v4M9 15v4",
  doctor: "M4 12h4l2-6 4 12 2-6h4",
  help: "M9 9a3 3 0 1 1 4 2.800c-.7.3-1 .8-1 1.700V14m0 3.500v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  folder: "M3 6h6l2 2h10v11H3z",
  lock: "M7 11V8a5 5 0 0 1 10 0v3M5 11h14v9H5z",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1m2 4a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
} as const;
export type IconName = keyof typeof PATHS;

/** Decoration: the words beside it say the same. */
export function Icon({ name }: { readonly name: IconName }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
