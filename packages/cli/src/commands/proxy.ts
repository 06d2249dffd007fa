import type { ProxySummary } from "@backroom/core/node/proxy-setting.ts";
import type { AddCommand } from "../session.ts";
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
      run(async ({ terminal, dataFolder, proxy }) => {
        const { keepProxy, proxySummary } = await import("@backroom/core/node/proxy-setting.ts");
        const summary =
          url === undefined
            ? await proxySummary(dataFolder, proxy)
            : await keepProxy(dataFolder, url === "off" ? undefined : await readProxy(url));
        terminal.note(sentence(summary));
        terminal.result(summary.place ?? "off", { ...summary, place: summary.place ?? null });
      }),
    );
};

function sentence({ place, hasLogin }: ProxySummary): string {
  if (place === undefined) return "No proxy: relays that this computer calls on see its address.";
  const login = hasLogin
    ? "It gets the login that is kept, so it can tell which connections are yours."
    : "Each relay gets a user name of its own there, which keeps connections apart in Tor.";
  return `Relays are called on through this proxy only, and nothing is looked up by name. ${login}`;
}
