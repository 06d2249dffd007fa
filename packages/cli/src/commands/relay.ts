import type { AddCommand } from "../session.ts";
import { parsePort } from "../ui/arguments.ts";
import { count, formatBytes } from "../ui/format.ts";
import { terminalHooks } from "../ui/hooks.ts";

interface Options {
  readonly host?: string[];
  readonly port: number;
  readonly gate: boolean;
}

/** How often people are told how the relay does. */
const REPORT_MS = 60_000;

export const addRelay: AddCommand = (program, run) => {
  program
    .command("relay")
    .description("carry other members' circuits until you press Ctrl-C")
    .option(
      "--host <address...>",
      "the IP addresses under which others reach this relay (default: found out)",
    )
    .option("--port <number>", "the port for TLS (TCP) and the DHT (UDP); 0 takes a free one", parsePort, 0)
    .option("--no-gate", "do not serve as a gate, where seeders are found")
    .action((options: Options) => {
      run(async ({ terminal, signal, dataFolder, proxy }) => {
        const { runRelay } = await import("@backroom/core/node/relay-node.ts");
        const hooks = terminalHooks(terminal, new Set());
        let report: NodeJS.Timeout | undefined;
        await runRelay(
          {
            dataFolder,
            proxy,
            hosts: options.host,
            port: options.port,
            gate: options.gate,
            signal,
            onReady(relay) {
              terminal.note(`Relaying on port ${relay.port} for the network “${relay.networkName}”.`);
              terminal.note(
                "What passes through is encrypted: this relay cannot read it, and reaches nothing outside the network.",
              );
              terminal.note("Press Ctrl-C to stop.");
              terminal.event("ready", { port: relay.port, nodeKey: relay.nodeKey, invite: relay.invite() });
              report = setInterval(() => {
                const { relaysKnown, circuits, bytesCarried } = relay.stats();
                terminal.note(
                  `${count(relaysKnown, "relay")} known, ${count(circuits, "circuit")}, ${formatBytes(bytesCarried)} carried.`,
                );
              }, REPORT_MS).unref();
            },
          },
          hooks,
        );
        clearInterval(report);
        terminal.note("Stopped.");
      });
    });
};
