import { isBackroomError, type ErrorCode } from "../base/errors.ts";

/** What a member raises that reaches none of its guards, or whose proxy is away. */
const NO_WAY_IN: ReadonlySet<string> = new Set<ErrorCode>([
  "E_UNREACHABLE",
  "E_CHANNEL",
  "E_CHANNEL_SILENT",
  "E_CHANNEL_IDENTITY",
  "E_PROXY",
]);

/**
 * Whether a circuit was not even begun, most likely since this computer is offline: then no relay behind the guard has seen anything, and neither a gate nor a seeder is
 * to blame. Such attempts count for none of the bounds that keep a gate from having circuits built (docs/adr/0039-offline-is-nobodys-fault.md).
 */
export function isNoWayIn(error: unknown): boolean {
  return isBackroomError(error) && NO_WAY_IN.has(error.code);
}
