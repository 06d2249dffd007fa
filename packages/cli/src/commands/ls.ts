import { TRANSFER_ROLES, TRANSFER_STATES } from "@backroom/api/words.ts";
import { Option } from "commander";
import type { AddCommand } from "../session.ts";
import { parseCount } from "../ui/arguments.ts";

export interface ListOptions {
  readonly state?: (typeof TRANSFER_STATES)[number];
  readonly role?: (typeof TRANSFER_ROLES)[number];
  readonly search?: string;
  readonly limit?: number;
  readonly all?: boolean;
  readonly ids?: boolean;
}

export const addList: AddCommand = (program, run) => {
  program
    .command("ls")
    .description("list transfers, newest first")
    .addOption(new Option("--state <state>", "only those in this state").choices(TRANSFER_STATES))
    .addOption(new Option("--role <role>", "only those of this kind").choices(TRANSFER_ROLES))
    .option("--search <text>", "only those whose name contains this, or whose id begins with it")
    .option(
      "--limit <number>",
      "at most so many (default: 50 in a terminal, all elsewhere)",
      parseCount(1, 1_000_000),
    )
    .addOption(new Option("--all", "all of them").conflicts("limit"))
    .option("--ids", "ids alone, a line each, for other commands")
    .action((options: ListOptions) => {
      run(async (session) => {
        const { listTransfers } = await import("../transfers/list.ts");
        await listTransfers(options, session);
      });
    });
};
