import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { Result } from "../contract.ts";
import type { AddCommand, Session } from "../session.ts";

export const addPage: AddCommand = (program, run) => {
  program
    .command("page")
    .description("open the daemon's page in a browser")
    .option("--print", "only print its address, which lets in whoever opens it first")
    .action((options: { print?: boolean }) => {
      run(async (session) => {
        const { terminal, daemon } = session;
        const client = await daemon.ensure();
        const { url } = await client.call("openPage");
        if (options.print !== true && terminal.columns !== undefined) await openInBrowser(url, session);
        terminal.result(url, { url } satisfies Result<"page">);
      });
    });
};

/**
 * By way of a file that this user alone can read: the address lets in whoever has it first, and every program of the computer can read command lines. Where
 * there is no browser the address that is printed has to do.
 */
async function openInBrowser(url: string, session: Session): Promise<void> {
  const { dataFolderOf } = await import("../daemon-client.ts");
  const file = path.join(dataFolderOf(session), "page.html");
  try {
    await rm(file, { force: true });
    await writeFile(file, pageTo(url), { mode: 0o600, flag: "wx" });
  } catch (cause) {
    throw new BackroomError("E_STORE", "the way to the page could not be written into the data folder", {
      cause,
    });
  }
  const [program, ...args] = browserCommand(pathToFileURL(file).href, process.platform);
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  child.once("error", () => {});
  child.unref();
}

function pageTo(url: string): string {
  const place = url.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return `<!doctype html><meta charset="utf-8"><title>Backroom</title><meta http-equiv="refresh" content="0;url=${place}">\n`;
}

function browserCommand(place: string, platform: NodeJS.Platform): [string, ...string[]] {
  if (platform === "darwin") return ["open", place];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler", place];
  return ["xdg-open", place];
}
