import { Argument } from "commander";
import type { Result } from "../contract.ts";
import type { AddCommand } from "../session.ts";

/** As in `completion/scripts.ts`, which is loaded when it is asked for (a test compares). */
export const SHELL_NAMES = ["bash", "zsh", "fish", "powershell"] as const;

export const addCompletion: AddCommand = (program, run) => {
  program
    .command("completion")
    .description(
      "print what makes a shell complete commands, options and ids; its first lines say where to put it",
    )
    .addArgument(new Argument("<shell>", "the shell").choices(SHELL_NAMES))
    .action((shell: (typeof SHELL_NAMES)[number]) => {
      run(async ({ terminal }) => {
        const { SCRIPTS } = await import("../completion/scripts.ts");
        const script = SCRIPTS[shell];
        terminal.result(script.trimEnd(), { shell, script } satisfies Result<"completion">);
      });
    });
};

/** Asked by the shells: what may stand at the cursor. */
export const addComplete: AddCommand = (program, run) => {
  program
    .command("__complete", { hidden: true })
    .argument("[word...]", "the words before the cursor")
    .option("--current <text>", "what is written of the word at the cursor", "")
    .action((words: string[], { current }: { current: string }) => {
      run(async (session) => {
        const { printCompletions } = await import("../completion/print.ts");
        await printCompletions(words, current, session);
      });
    });
};
