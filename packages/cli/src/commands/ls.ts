import { Option } from "commander";
import type { AddCommand } from "../session.ts";
import { parseCount } from "../ui/arguments.ts";

export interface ListOptions {
  readonly state?: ListState;
  readonly role?: "share" | "get" | "mirror";
  readonly search?: string;
  readonly limit?: number;
  readonly all?: boolean;
  readonly ids?: boolean;
}

/** As the schema has them (a test compares); it is not loaded for this. */
export const LIST_STATES = [
  "queued",
  "sealing",
  "joining",
  "looking",
  "downloading",
  "opening",
  "checking",
  "seeding",
  "paused",
  "done",
  "failed",
] as const;
type ListState = (typeof LIST_STATES)[number];

export const addList: AddCommand = (program, run) => {
  program
    .command("ls")
    .description("list transfers, newest first")
    .addOption(new Option("--state <state>", "only those in this state").choices(LIST_STATES))
    .addOption(new Option("--role <role>", "only those of this kind").choices(["share", "get", "mirror"]))
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
