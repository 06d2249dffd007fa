import { BackroomError } from "@backroom/core/base/errors.ts";
import type { NetworkSummary } from "@backroom/core/node/networks.ts";
import type { AddCommand, Run, Session } from "../session.ts";
import { Argument, type Command } from "commander";
import { parseCount, parsePort } from "../ui/arguments.ts";
import { count } from "../ui/format.ts";
import { terminalHooks } from "../ui/hooks.ts";
import { readText } from "../ui/input.ts";

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
    .description("the networks that this member knows")
    .action(() => run(({ terminal, dataFolder }) => list(terminal, dataFolder)));
  network
    .command("list")
    .description("list them; the one in use has a star")
    .action(() => run(({ terminal, dataFolder }) => list(terminal, dataFolder)));
  addCreate(network, run);
  network
    .command("join")
    .description("join the network that an invite names, and use it from now on")
    .argument("<invite>", "the invite; - reads it from standard input, @file from a file")
    .action((invite: string) =>
      run(async ({ terminal, dataFolder }) => {
        const { joinNetwork } = await networks();
        const joined = await joinNetwork({ dataFolder, invite: await readText(invite, "an invite") });
        terminal.note(`Joined “${joined.name}”.`);
        if (joined.test) terminal.warn(TEST_NETWORK);
        terminal.result(joined.id, { ...joined });
      }),
    );
  network
    .command("use")
    .description("use another of the known networks from now on")
    .argument("<id>", "its id, as net list prints it")
    .action((id: string) =>
      run(async ({ terminal, dataFolder }) => {
        const { useNetwork } = await networks();
        const used = await useNetwork({ dataFolder, id });
        terminal.note(`Using “${used.name}”.`);
        terminal.result(used.id, { ...used });
      }),
    );
  network
    .command("lan")
    .description(
      "whether relays are looked for on the local network, where a relay of this member answers; off at first",
    )
    .addArgument(new Argument("[setting]", "keep it for all runs to come").choices(["on", "off"]))
    .action((setting: "on" | "off" | undefined) =>
      run(async ({ terminal, dataFolder }) => {
        const { keepLan, lanSetting } = await import("@backroom/core/node/lan-setting.ts");
        if (setting !== undefined) await keepLan(dataFolder, setting === "on");
        const isOn = await lanSetting(dataFolder);
        terminal.note(
          isOn ? LAN_ON : "The local network is not asked for relays, and nobody there is answered.",
        );
        terminal.result(isOn ? "on" : "off", { lan: isOn });
      }),
    );
  program
    .command("invite")
    .description("print an invite to the network in use, or to another that is known")
    .argument("[id]", "its id, as net list prints it")
    .action((id: string | undefined) =>
      run(async ({ terminal, dataFolder }) => {
        const { makeInvite } = await networks();
        const { invite, name, test, relayCount } = await makeInvite({ dataFolder, id });
        const relays = count(relayCount, "relay");
        terminal.note(`Whoever gets this can join “${name}” with: backroom net join INVITE`);
        terminal.note(
          test
            ? `It names the network and ${relays} with their addresses at home: give it only to people who may know them.`
            : `It names the network and ${relays} drawn at random, and says nothing of you or your shares. Those relays see who joins through them.`,
        );
        terminal.result(invite, { invite, relayCount });
      }),
    );
};

/** Loaded when a command runs, like all that the commands do: help and mistakes are answered at once. */
const networks = () => import("@backroom/core/node/networks.ts");

const TEST_NETWORK =
  "this is a test network: one operator runs all its relays, so nothing is hidden from that operator.";

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

async function list(
  terminal: Parameters<Parameters<Run>[0]>[0]["terminal"],
  dataFolder: string | undefined,
): Promise<void> {
  const { knownNetworks } = await networks();
  const known = await knownNetworks({ dataFolder });
  if (known.length === 0)
    terminal.note("No network yet: join one with an invite, or make one with: backroom net create");
  terminal.result(known.map(line).join("\n"), { networks: known });
}

function line(network: NetworkSummary): string {
  const kind = network.test ? "  (test: one operator runs all relays)" : "";
  return `${network.current ? "*" : " "} ${network.id}  ${network.name}${kind}  ${count(network.relaysKnown, "relay")} known`;
}
