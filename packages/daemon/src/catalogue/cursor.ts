import { BackroomError } from "@backroom/core/base/errors.ts";

/** A place in the list: after the row of this time and id, or where it would be. */
export interface Place {
  readonly createdMs: number;
  readonly id: string;
}

/** Before every row: no time of ours is as late. */
export const BEGINNING: Place = { createdMs: Number.MAX_SAFE_INTEGER, id: "~" };

/** The place itself instead of a row's name, so that it outlasts the row. */
export function formatCursor({ createdMs, id }: Place): string {
  return `${createdMs}.${id}`;
}

/** Raises E_CURSOR. */
export function parseCursor(text: string): Place {
  const [, time, id] = /^(\d{1,16})\.([a-z0-9]{16})$/.exec(text) ?? [];
  const createdMs = Number(time);
  if (id === undefined || !Number.isSafeInteger(createdMs)) {
    throw new BackroomError("E_CURSOR", "that is no place in the list of transfers");
  }
  return { createdMs, id };
}
