import type { ProxySummary } from "@backroom/core/node/proxy-setting.ts";
import type { AddCommand, Session } from "../session.ts";
import { readProxy } from "../ui/proxy.ts";

export const addProxy: AddCommand = (program, run) => {
  program
    .command("proxy")
    .description(
      "the SOCKS 5 proxy that all connections to relays go through; without an argument, which one it is",
    )
    .argument(
      "[url]",
      "keep this one for all runs to come; @file or - where it has a password; off forgets it",
    )
    .action((url: string | undefined) =>
      run(async (session) => {
        const { terminal, dataFolder, proxy } = session;
        const { proxySummary } = await import("@backroom/core/node/proxy-setting.ts");
        if (url !== undefined) await keep(url === "off" ? undefined : await readProxy(url), session);
        const summary = await proxySummary(dataFolder, url === undefined ? proxy : undefined);
        terminal.note(sentence(summary));
        terminal.result(summary.place ?? "off", { ...summary, place: summary.place ?? null });
      }),
    );
};

/** By the daemon where one runs, which must not go on without it. Raises E_PROXY for what is none. */
async function keep(url: string | undefined, { daemon, dataFolder, terminal }: Session): Promise<void> {
  const { keepProxy, proxySummary } = await import("@backroom/core/node/proxy-setting.ts");
  if (url !== undefined) await proxySummary(dataFolder, url);
  const client = await daemon.find();
  if (client === undefined) {
    await keepProxy(dataFolder, url);
    return;
  }
  const { origin } = await client.call("setSetting", { key: "network.proxy", value: url ?? null });
  if (origin === "file" || origin === "default") return;
  terminal.warn(
    "The daemon that runs was started with a proxy of its own and stays with it. To end that: backroom daemon stop",
  );
}

function sentence({ place, hasLogin }: ProxySummary): string {
  if (place === undefined) return "No proxy: relays that this computer calls on see its address.";
  const login = hasLogin
    ? "It gets the login that is kept, so it can tell which connections are yours."
    : "Each relay gets a user name of its own there, which keeps connections apart in Tor.";
  return `Relays are called on through this proxy only, and nothing is looked up by name. ${login}`;
}
