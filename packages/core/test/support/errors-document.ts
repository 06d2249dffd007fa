import { ERROR_TABLE } from "../../src/base/errors.ts";

/** The text of docs/ERRORS.md, made from the table so that it cannot drift. */
export function errorsDocument(): string {
  const codes = Object.entries(ERROR_TABLE).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    "# Errors",
    "",
    "Every error has a stable code. On the terminal it reads `error[CODE]: what happened`, then `why:` and `try:`; with `--json` it is the last line.",
    "The sentences below are what is said where nothing more exact is known. Made by `npm run docs:errors` from `packages/core/src/base/errors.ts`.",
    "",
    "Exit status: 1 a fault of the program, 2 the command line, 3 what was given to it, 4 the network, or no daemon, 5 disk and files, 6 damaged or forged data, 7 a computer below the minimum, or one on which the doctor found something to mend, 130 interrupted.",
    "Retry: *later*, the same call may pass after a while; *elsewhere*, another peer, relay or copy may do; *never*, something has to change first.",
    "",
    "| code | exit | retry | why | try |",
    "|---|---|---|---|---|",
    ...codes.map(
      ([code, { exit, retry, why, fix }]) => `| \`${code}\` | ${exit} | ${retry} | ${why} | ${fix} |`,
    ),
    "",
  ].join("\n");
}
