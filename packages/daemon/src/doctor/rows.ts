import type { DoctorReport } from "@backroom/api/schemas/daemon.ts";
import { isBackroomError } from "@backroom/core/base/errors.ts";

export type DoctorRow = DoctorReport["rows"][number];
export type DoctorStatus = DoctorRow["status"];

/** How long one check may take: a file system on another computer may never answer. */
const CHECK_MS = 5_000;

type More = Partial<Pick<DoctorRow, "minimum" | "recommended" | "fix">>;

export function row(check: string, status: DoctorStatus, found: string, more: More = {}): DoctorRow {
  const { minimum = null, recommended = null, fix = null } = more;
  return { check, status, found, minimum, recommended, fix };
}

/** The row that `look` gives; what it raises fails the check with the error's own advice, and what it cannot say within its time is unknown. */
export async function checked(
  check: string,
  look: () => DoctorRow | Promise<DoctorRow>,
  mostMs = CHECK_MS,
): Promise<DoctorRow> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<DoctorRow>((resolve) => {
    const found = `no answer within ${mostMs / 1000} s`;
    timer = setTimeout(() => resolve(row(check, "unknown", found)), mostMs);
  });
  try {
    return await Promise.race([Promise.resolve().then(look), late]);
  } catch (error) {
    if (isBackroomError(error)) return row(check, "fail", error.message, { fix: error.fix });
    return row(check, "unknown", "it could not be found out");
  } finally {
    clearTimeout(timer);
  }
}

export function reportOf(rows: readonly DoctorRow[]): DoctorReport {
  const has = (status: DoctorStatus): boolean => rows.some((one) => one.status === status);
  return { rows: [...rows], status: has("fail") ? "fail" : has("warn") ? "warn" : "ok" };
}
