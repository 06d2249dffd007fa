import path from "node:path";
import { CommanderError, type Command } from "commander";
import { BackroomError, ERROR_TABLE } from "@backroom/core/base/errors.ts";
import {
  addAllCommands,
  addCommandOf,
  assertSubcommand,
  commandOf,
  createProgram,
  type GlobalOptions,
} from "./command-line.ts";
import { describeFault } from "./fault.ts";
import { logOpener } from "./log.ts";
import { admitMachine } from "./machine/admit.ts";
import type { Session } from "./session.ts";
import { readProxy } from "./ui/proxy.ts";
import { createTerminal, type Terminal } from "./ui/terminal.ts";
import type { World } from "./world.ts";

/** Runs one command line to its end and gives the exit status. Raises nothing. */
export async function runCommandLine(given: readonly string[], world: World): Promise<number> {
  // What many programs take; not a command, or it would stand in every list.
  const args = given[0] === "help" ? [...given.slice(1), "--help"] : given;
  let work: ((session: Session) => Promise<void>) | undefined;
  let terminal = terminalFor(world, { json: args.includes("--json") });
  const program = createProgram(world.stdout);

  /** What nobody caught: Node would print its message, which may name an address or a file. */
  const onFault = (error: unknown): void => {
    terminal.log("warn", "a fault ended the program");
    terminal.error(unexpected(error, describeFault(error)));
    process.exit(ERROR_TABLE.E_INTERNAL.exit);
  };
  process.once("uncaughtException", onFault);

  try {
    const run = (action: (session: Session) => Promise<void>): void => {
      work = action;
    };
    await addCommandOf(args, program, run);
    if (args.length === 0) {
      program.outputHelp();
      return 0;
    }
    await assertSubcommand(args, program);
    await program.parseAsync([...args], { from: "user" });
    const settings = program.opts<GlobalOptions>();
    terminal = terminalFor(world, settings);
    const isFromEnvironment = program.getOptionValueSource("proxy") === "env";
    const proxy =
      settings.proxy === undefined ? undefined : await readProxy(settings.proxy, isFromEnvironment);
    // By the environment it also reaches whatever this process starts.
    const { config = "" } = settings;
    if (config !== "") world.env["BACKROOM_CONFIG"] = path.resolve(config);
    if (work !== undefined) {
      const given = { terminal, dataFolder: settings.data, proxy, lan: settings.lan === true };
      const session = {
        ...given,
        acceptRisk: settings.acceptRisk === true,
        facts: world.facts,
        env: world.env,
        signal: world.interrupted(),
        daemon: world.daemon(given),
        program: wholeProgram,
        endSoon: (afterMs: number) => world.endSoon(afterMs),
      };
      await carryOut(work, session, commandOf(args, program)?.anywhere === true);
    }
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const known = toBackroomError(error, world.env);
    terminal.log("warn", "the command failed", { code: known.code });
    terminal.error(known);
    return known.exit;
  } finally {
    process.off("uncaughtException", onFault);
  }
}

/** The tree with all commands, for those commands that tell about it. */
async function wholeProgram(): Promise<Command> {
  const program = createProgram(process.stdout);
  await addAllCommands(program, () => {});
  return program;
}

async function carryOut(
  work: (session: Session) => Promise<void>,
  session: Session,
  isAnywhere: boolean,
): Promise<void> {
  const { terminal, signal } = session;
  // A command may wait for nothing but its own timers, which do not keep a process alive.
  const awake = setInterval(() => {}, 2 ** 30);
  try {
    signal.addEventListener("abort", () => terminal.status("Stopping; Ctrl-C once more ends it at once …"));
    terminal.log("info", "the command begins");
    if (!isAnywhere) await admitMachine(session);
    await work(session);
  } finally {
    terminal.log("info", "the command ends");
    terminal.end();
    clearInterval(awake);
  }
}

function terminalFor({ stdin, stdout, stderr, env }: World, settings: GlobalOptions): Terminal {
  for (const stream of [stdout, stderr]) {
    // A reader that has seen enough, as in `backroom share … | head -1`, is no reason to stop handing out.
    stream.removeListener("error", ignorePipe).on("error", ignorePipe);
  }
  return createTerminal({
    json: settings.json === true,
    quiet: settings.quiet === true,
    stdin,
    stdout,
    stderr,
    env,
    openLog: logOpener(settings),
  });
}

function ignorePipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

function toBackroomError(error: unknown, env: NodeJS.ProcessEnv): BackroomError {
  if (error instanceof BackroomError) return error;
  if (error instanceof CommanderError) return new BackroomError("E_USAGE", usageMessage(error));
  return unexpected(error, env["BACKROOM_DEBUG"] === "1" ? describeFault(error) : undefined);
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
