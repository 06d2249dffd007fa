import type { AddCommand } from "../session.ts";
import { runDemo } from "../demo/demo.ts";

export const addDemo: AddCommand = (program, run) => {
  program
    .command("demo")
    .description(
      "a whole network on this computer for half a minute: share, fetch, lose a relay, and see who saw whom",
    )
    .argument("[path]", "share this file or folder instead of one that is made up")
    .action((path: string | undefined) => {
      run(({ terminal, signal }) => runDemo({ path, terminal, signal }));
    });
};
