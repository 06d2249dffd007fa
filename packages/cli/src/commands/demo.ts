import type { AddCommand } from "../session.ts";

export const addDemo: AddCommand = (program, run) => {
  program
    .command("demo")
    .description(
      "a whole network on this computer for half a minute: share, fetch, lose a relay, and see who saw whom",
    )
    .argument("[path]", "share this file or folder instead of one that is made up")
    .action((path: string | undefined) => {
      run(async ({ terminal, signal }) => {
        const { runDemo } = await import("../demo/demo.ts");
        await runDemo({ path, terminal, signal });
      });
    });
};
