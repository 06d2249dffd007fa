import { Command, CommanderError, Option } from "commander";
import { BackroomError, ERROR_TABLE } from "@backroom/core/base/errors.ts";
import { LOG_LEVELS } from "@backroom/core/base/log.ts";
import { addDaemon } from "./commands/daemon.ts";
import { addDemo } from "./commands/demo.ts";
import { addGet } from "./commands/get.ts";
import { addNetwork } from "./commands/network.ts";
import { addOpen } from "./commands/open.ts";
import { addProxy } from "./commands/proxy.ts";
import { addRelay } from "./commands/relay.ts";
import { addSeal } from "./commands/seal.ts";
import { addService } from "./commands/service.ts";
import { addShare } from "./commands/share.ts";
import { describeFault } from "./fault.ts";
import { logOpener, type LogSettings } from "./log.ts";
import type { Session } from "./session.ts";
import { interruptSignal } from "./ui/interrupt.ts";
import { readProxy } from "./ui/proxy.ts";
import { createTerminal, type Terminal } from "./ui/terminal.ts";
import { VERSION } from "./version.ts";

interface Settings extends LogSettings {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly data?: string;
  readonly proxy?: string;
  readonly lan?: boolean;
}

/** Runs one command line to its end and gives the exit status. Raises nothing. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  let work: ((session: Session) => Promise<void>) | undefined;
  let terminal = terminalFor({ json: args.includes("--json") });
  const program = new Command("backroom")
    .description("Share files with a link. Nobody learns anybody's address.")
    .version(VERSION, "-V, --version")
    .option(
      "--data <folder>",
      "where this member keeps keys, networks and packs (default: the platform's data folder)",
    )
    .addOption(
      new Option(
        "--proxy <url>",
        "connect to relays through this SOCKS 5 proxy only, such as Tor's socks5://127.0.0.1:9050; @file reads it from a file",
      ).env("BACKROOM_PROXY"),
    )
    .option(
      "--lan",
      "look for relays on the local network, too; a relay answers there (default: backroom net lan)",
    )
    .option("--json", "write JSON lines to standard output instead of text")
    .option("-q, --quiet", "say nothing but results and errors")
    .addOption(
      new Option("--log-level <level>", "write a log, to standard error unless --log-file says where")
        .choices(LOG_LEVELS)
        .env("BACKROOM_LOG"),
    )
    .option("--log-file <file>", "write the log (level info unless --log-level says more) into this file")
    .helpCommand(false)
    .exitOverride()
    // Errors of usage are reported like all others, by `report`.
    .configureOutput({ outputError: () => {} });
  for (const add of [
    addShare,
    addGet,
    addRelay,
    addNetwork,
    addProxy,
    addSeal,
    addOpen,
    addDemo,
    addDaemon,
    addService,
  ]) {
    add(program, (action) => {
      work = action;
    });
  }

  /** What nobody caught: Node would print its message, which may name an address or a file. */
  process.once("uncaughtException", (error) => {
    terminal.log("warn", "a fault ended the program");
    terminal.error(unexpected(error, describeFault(error)));
    process.exit(ERROR_TABLE.E_INTERNAL.exit);
  });

  try {
    if (args.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync([...args], { from: "user" });
    const settings = program.opts<Settings>();
    terminal = terminalFor(settings);
    const isFromEnvironment = program.getOptionValueSource("proxy") === "env";
    const proxy =
      settings.proxy === undefined ? undefined : await readProxy(settings.proxy, isFromEnvironment);
    if (work !== undefined)
      await carryOut(work, terminal, { ...settings, proxy, lan: settings.lan === true });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const known = toBackroomError(error);
    terminal.log("warn", "the command failed", { code: known.code });
    terminal.error(known);
    return known.exit;
  }
}

async function carryOut(
  work: (session: Session) => Promise<void>,
  terminal: Terminal,
  settings: Pick<Session, "proxy" | "lan"> & Pick<Settings, "data">,
): Promise<void> {
  // A command may wait for nothing but its own timers, which do not keep a process alive.
  const awake = setInterval(() => {}, 2 ** 30);
  try {
    const signal = interruptSignal();
    signal.addEventListener("abort", () => terminal.status("Stopping; Ctrl-C once more ends it at once …"));
    terminal.log("info", "the command begins");
    await work({ terminal, signal, dataFolder: settings.data, proxy: settings.proxy, lan: settings.lan });
  } finally {
    terminal.log("info", "the command ends");
    terminal.end();
    clearInterval(awake);
  }
}

function terminalFor(settings: Settings): Terminal {
  const { stdout, stderr, env } = process;
  for (const stream of [stdout, stderr]) {
    // A reader that has seen enough, as in `backroom share … | head -1`, is no reason to stop handing out.
    stream.removeListener("error", ignorePipe).on("error", ignorePipe);
  }
  return createTerminal({
    json: settings.json === true,
    quiet: settings.quiet === true,
    stdout,
    stderr,
    env,
    openLog: logOpener(settings),
  });
}

function ignorePipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

function toBackroomError(error: unknown): BackroomError {
  if (error instanceof BackroomError) return error;
  if (error instanceof CommanderError) return new BackroomError("E_USAGE", usageMessage(error));
  return unexpected(error, process.env["BACKROOM_DEBUG"] === "1" ? describeFault(error) : undefined);
}

function unexpected(cause: unknown, why: string | undefined): BackroomError {
  const name = cause instanceof Error ? cause.name : typeof cause;
  return new BackroomError("E_INTERNAL", `the program met a fault of its own (${name})`, {
    cause,
    ...(why === undefined ? {} : { why }),
  });
}

function usageMessage(error: CommanderError): string {
  if (error.code === "commander.help") return "a command is missing";
  return error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
}
