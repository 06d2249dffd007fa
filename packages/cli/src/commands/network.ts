import { BackroomError } from "@backroom/core/base/errors.ts";
import type { NetworkSummary } from "@backroom/core/node/networks.ts";
import type { AddCommand, Run, Session } from "../session.ts";
import { Argument, type Command } from "commander";
import { parseCount, parsePort } from "../ui/arguments.ts";
import { count } from "../ui/format.ts";
import { terminalHooks } from "../ui/hooks.ts";
import { readText } from "../ui/input.ts";
import { TEST_NETWORK } from "../ui/test-network.ts";

interface RunOptions {
  readonly host?: string;
  readonly port: number;
  readonly relays: number;
}

interface CreateOptions extends RunOptions {
  readonly run: boolean;
}

export const addNetwork: AddCommand = (program, run) => {
  const network = program
    .command("net")
    .alias("network")
    .description("the network in use, what it hides, and the others that this member knows");
  network
    .command("status", { isDefault: true })
    .description("the network in use: relays, what it can hide, and circuits as they are now")
    .action(() => run(async (session) => (await import("../network/status.ts")).showNetwork(session)));
  network
    .command("list")
    .description("list the networks that this member knows; the one in use has a star")
    .action(() => run(async (session) => (await entries()).listNetworks(session)));
  addCreate(network, run);
  network
    .command("join")
    .description("join the network that an invite names, and use it from now on")
    .argument("<invite>", "the invite; - reads it from standard input, @file from a file")
    .action((invite: string) =>
      run(async (session) => (await entries()).joinNetworkOf(await readText(invite, "an invite"), session)),
    );
  network
    .command("use")
    .description("use another of the known networks from now on")
    .argument("<network>", "its id, as net list prints it")
    .action((id: string) => run(async (session) => (await entries()).useNetworkOf(id, session)));
  network
    .command("lan")
    .description(
      "whether relays are looked for on the local network, where a relay of this member answers; off at first",
    )
    .addArgument(new Argument("[setting]", "keep it for all runs to come").choices(["on", "off"]))
    .action((setting: "on" | "off" | undefined) =>
      run(async ({ daemon, terminal, dataFolder }) => {
        const { keepLan, lanSetting } = await import("@backroom/core/node/lan-setting.ts");
        if (setting !== undefined) {
          const client = await daemon.find();
          const value = setting === "on";
          if (client === undefined) await keepLan(dataFolder, value);
          else await client.call("setSetting", { key: "network.lan", value });
        }
        const isOn = await lanSetting(dataFolder);
        terminal.note(
          isOn ? LAN_ON : "The local network is not asked for relays, and nobody there is answered.",
        );
        terminal.result(isOn ? "on" : "off", { lan: isOn });
      }),
    );
};

/** Loaded when a command runs, like all that the commands do: help and mistakes are answered at once. */
const networks = () => import("@backroom/core/node/networks.ts");
const entries = () => import("../network/networks.ts");

const LAN_ON =
  "Members that cannot reach a relay they know ask the local network for relays, and relays answer there: neighbours can tell that this computer runs Backroom.";

function addCreate(network: Command, run: Run): void {
  const create = network
    .command("create")
    .description("make a new network and run its relays on this computer until you press Ctrl-C")
    .argument("[name]", "what to call it", "home")
    .option("--no-run", "only make the network; relays are started apart, with backroom relay");
  runOptions(create).action((name: string, options: CreateOptions) =>
    run(async (session) => {
      const { terminal, dataFolder } = session;
      const { createNetwork } = await networks();
      const created = await createNetwork({ dataFolder, name });
      terminal.note(`Made the network “${created.name}”.`);
      if (options.run) await runHere(session, options, created);
      else terminal.result(created.id, { ...created });
    }),
  );
  const again = network
    .command("run")
    .description("run the relays of a network that was made here again, until you press Ctrl-C");
  runOptions(again).action((options: RunOptions) =>
    run(async (session) => {
      const { knownNetworks } = await networks();
      const used = (await knownNetworks(session)).find(({ current }) => current);
      if (used === undefined || !used.test) {
        throw new BackroomError(
          "E_NO_NETWORK",
          "the network in use is not a test network that was made here",
          {
            fix: "make one with: backroom net create; or relay for the one in use with: backroom relay",
          },
        );
      }
      await runHere(session, options, used);
    }),
  );
}

function runOptions(command: Command): Command {
  return command
    .option("--host <address>", "the IP address of this computer that the others reach (default: its first)")
    .option(
      "--port <number>",
      "the first of the relays' ports; 0 takes free ones, or the last ones",
      parsePort,
      0,
    )
    .option("--relays <number>", "how many relays to run", parseCount(3, 32), 7);
}

async function runHere(session: Session, options: RunOptions, summary: NetworkSummary): Promise<void> {
  const { terminal, signal, dataFolder, proxy, lan } = session;
  terminal.warn(TEST_NETWORK);
  const { runNetworkHere } = await import("@backroom/core/node/network-here.ts");
  await runNetworkHere(
    {
      dataFolder,
      proxy,
      lan,
      host: options.host,
      port: options.port,
      relayCount: options.relays,
      signal,
      onReady(invite) {
        terminal.note(
          `Running ${count(options.relays, "relay")}. On the other computer: backroom net join INVITE`,
        );
        terminal.result(invite, { invite, ...summary });
        terminal.note("Press Ctrl-C to stop them.");
      },
    },
    terminalHooks(terminal, new Set()),
  );
  terminal.note("Stopped. To run the same network again: backroom net run");
}
