import type { Answer } from "@backroom/api/routes.ts";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import { givenSettings } from "../config/settings-access.ts";
import type { Result } from "../contract.ts";
import type { Session } from "../session.ts";
import { VERSION } from "../version.ts";
import { doctorLines } from "./doctor-lines.ts";

/** Raises E_DOCTOR, once all is shown, where something has to be mended. */
export async function doctor(session: Session): Promise<void> {
  const { terminal } = session;
  terminal.status("Looking …");
  const report = await look(session);
  terminal.result(doctorLines(report.rows, terminal).join("\n"), { ...report } satisfies Result<"doctor">);
  if (report.status !== "fail") return;
  const failed = report.rows.filter(({ status }) => status === "fail").map(({ check }) => check);
  throw new BackroomError("E_DOCTOR", `to be mended: ${failed.join(", ")}`);
}

async function look(session: Session): Promise<Answer<"doctor">> {
  const { daemon, dataFolder, terminal } = session;
  try {
    const client = await daemon.find();
    if (client !== undefined) return await client.call("doctor");
  } catch (error) {
    // Of another version, or one that does not answer: all the more reason to look.
    if (!isBackroomError(error)) throw error;
    // Of the data folder there is a row.
    if (error.code !== "E_STORE") terminal.warn(`${error.message}; ${error.fix}`);
  }
  const { examineAlone } = await import("@backroom/daemon/doctor/examine-alone.ts");
  return examineAlone({ version: VERSION, dataFolder, ...givenSettings(session) });
}
