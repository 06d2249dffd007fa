import { Option, type Command } from "commander";
import type { AddCommand, Run, Session } from "../session.ts";
import { parseCount } from "../ui/arguments.ts";

interface RunOptions {
  readonly readyFd?: number;
}

/** The lines that `logs` shows when nothing else is said. */
const LINES = 100;

export const addDaemon: AddCommand = (program, run) => {
  const daemon = program
    .command("daemon")
    .description(
      "the program in the background that shares and fetches; share and get start it by themselves",
    );
  addRun(daemon, run);
  addStart(daemon, run);
  addStop(daemon, run);
  addStatus(daemon, run);
  addLogs(daemon, run);
};

function addRun(daemon: Command, run: Run): void {
  daemon
    .command("run")
    .description("run the daemon here, until you press Ctrl-C: for service managers and containers")
    .addOption(
      new Option("--ready-fd <number>", "write a line to this descriptor once it listens, or why it does not")
        .argParser(parseCount(3, 255))
        .hideHelp(),
    )
    .action((options: RunOptions) => {
      run(async (session) => (await import("../daemon/run.ts")).runHere(session, options));
    });
}

function addStart(daemon: Command, run: Run): void {
  daemon
    .command("start")
    .description("start the daemon in the background")
    .action(() => {
      run(async (session) => (await import("../daemon/control.ts")).start(session));
    });
}

function addStop(daemon: Command, run: Run): void {
  daemon
    .command("stop")
    .description("stop the daemon; what it did goes on when it is started again")
    .action(() => {
      run(async (session: Session) => (await import("../daemon/control.ts")).stop(session));
    });
}

function addStatus(daemon: Command, run: Run): void {
  daemon
    .command("status")
    .description("whether the daemon runs, and what it does; ends with status 4 where none runs")
    .action(() => {
      run(async (session) => (await import("../daemon/control.ts")).status(session));
    });
}

function addLogs(daemon: Command, run: Run): void {
  daemon
    .command("logs")
    .description("show the last lines of the daemon's log, also of one that does not run")
    .option("-f, --follow", "go on with what is written from now on, until you press Ctrl-C")
    .option("-n, --lines <number>", "how many lines", parseCount(1, 10_000), LINES)
    .action((options: { readonly follow?: boolean; readonly lines: number }) => {
      run(async (session) => {
        const { logs } = await import("../daemon/logs.ts");
        await logs(session, options.lines, options.follow === true);
      });
    });
}
