import { Argument, type Command } from "commander";
import type { RelayMode } from "@backroom/core/node/relay-setting.ts";
import type { AddCommand, Session } from "../session.ts";
import { parseCount, parsePort } from "../ui/arguments.ts";
import { foregroundOption, type ForegroundOptions } from "./foreground.ts";

export interface RelayOptions extends ForegroundOptions {
  readonly host?: string[];
  readonly port?: number;
  readonly gate?: boolean;
  readonly processes?: number;
}

/** As many relays of one subnet as a table keeps (PROTOCOL 7.4). */
const MOST_PROCESSES = 8;

export const addRelay: AddCommand = (program, run) => {
  const relay = program
    .command("relay")
    .description("carry other members' circuits; without words, whether this computer does")
    // So that the same options may stand behind the words of a subcommand.
    .enablePositionalOptions();
  foregroundOptions(relay).action((_: unknown, command: Command) => {
    const options = command.opts<RelayOptions>();
    run((session) =>
      Object.keys(options).length > 0 ? runHere(undefined, options, session) : showOrAsk(session),
    );
  });
  relay
    .command("status")
    .description("whether this computer relays, and how it does")
    .action(() => {
      run(async (session) => (await inDaemon()).showRelay(session));
    });
  settingCommand(
    relay,
    "auto",
    "relay; find out whether others reach this computer, and help from behind a router too",
    run,
  );
  settingCommand(relay, "on", "relay; this computer can be reached, so nobody is asked about that", run);
  settingCommand(relay, "off", "do not relay", run);
  const here = relay
    .command("run")
    .description(
      "relay in this process, without a daemon, until you press Ctrl-C; asks first what that may be",
    )
    .addArgument(new Argument("[setting]", "as in the commands of these names").choices(["auto", "on"]));
  foregroundOptions(here).action((setting: RelayMode | undefined, _: unknown, command: Command) => {
    run((session) => runHere(setting, allOptions(command), session));
  });
};

function settingCommand(
  relay: Command,
  mode: RelayMode,
  description: string,
  run: Parameters<AddCommand>[1],
): void {
  const command = relay.command(mode).description(`${description} (remembered)`);
  foregroundOptions(command).action((_: unknown, given: Command) => {
    const options = allOptions(given);
    run(async (session) => {
      if (options.foreground === true || options.host !== undefined || options.processes !== undefined) {
        await runHere(mode, options, session);
      } else await (await inDaemon()).setRelay(mode, options, session);
    });
  });
}

function foregroundOptions(command: Command): Command {
  return foregroundOption(command)
    .option("--gate", "also serve as a gate, where sharers are found (remembered)")
    .option("--no-gate", "do not (remembered)")
    .option("--port <number>", "the port for TLS (TCP) and the DHT (UDP); 0 takes a free one", parsePort)
    .option(
      "--host <address...>",
      "in this process: the IP addresses under which others reach this relay; as with “on”",
    )
    .option(
      "--processes <number>",
      "in this process and others: how many relays to run, with keys and the next port of its own each: one for each core",
      parseCount(1, MOST_PROCESSES),
    );
}

/** Those in front of the subcommand's word count, too. */
function allOptions(command: Command): RelayOptions {
  // `--gate` and `--no-gate` give no default, but commander's type cannot tell.
  return { ...command.parent?.opts<RelayOptions>(), ...command.opts<RelayOptions>() };
}

async function runHere(
  setting: RelayMode | undefined,
  options: RelayOptions,
  session: Session,
): Promise<void> {
  const { relayHere } = await import("../foreground/relay.ts");
  await relayHere(setting, options, session);
}

async function showOrAsk(session: Session): Promise<void> {
  await (await inDaemon()).showOrAskRelay(session);
}

const inDaemon = () => import("../network/relay.ts");
