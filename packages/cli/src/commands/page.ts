import { spawn } from "node:child_process";
import type { Result } from "../contract.ts";
import type { AddCommand } from "../session.ts";

export const addPage: AddCommand = (program, run) => {
  program
    .command("page")
    .description("open the daemon's page in a browser")
    .option("--print", "only print its address, which lets in whoever opens it first")
    .action((options: { print?: boolean }) => {
      run(async ({ terminal, daemon }) => {
        const client = await daemon.ensure();
        const { url } = await client.call("openPage");
        if (options.print !== true && terminal.columns !== undefined) openInBrowser(url, process.platform);
        terminal.result(url, { url } satisfies Result<"page">);
      });
    });
};

/** Where there is no browser the address that is printed has to do. */
function openInBrowser(url: string, platform: NodeJS.Platform): void {
  const [program, ...args] = browserCommand(url, platform);
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  child.once("error", () => {});
  child.unref();
}

function browserCommand(url: string, platform: NodeJS.Platform): [string, ...string[]] {
  if (platform === "darwin") return ["open", url];
  // `start` is a word of the shell there, and takes its first quoted argument for a title.
  if (platform === "win32") return ["cmd", "/c", "start", '""', url];
  return ["xdg-open", url];
}
