import type { Handlers } from "@backroom/api/routes.ts";
import type { DaemonContext, Part, TransferTotals } from "../context.ts";
import { databaseRow } from "./database-row.ts";
import { examine } from "./examine.ts";
import { createLinkMeter } from "./link-meter.ts";
import { thisComputer } from "./this-computer.ts";

interface DoctorDeps {
  readonly version: string;
  /** Whom to ask how the network and the relay do. */
  readonly handlers: Pick<Handlers, "network" | "relay">;
  totals(): TransferTotals;
  /** The page's address, once it is served. */
  page(): string | null;
}

/** The doctor of a running daemon; for as long as that runs it notes how much the own transfers reach. */
export function createDoctor(
  {
    folder,
    settings,
    catalogue,
    machine,
  }: Pick<DaemonContext, "folder" | "settings" | "catalogue" | "machine">,
  deps: DoctorDeps,
): Part<"doctor"> {
  const { version, handlers } = deps;
  const meter = createLinkMeter({ catalogue, clock: machine.clock, totals: () => deps.totals() });
  return {
    handlers: {
      doctor: (_, call) =>
        examine({
          folder,
          settings,
          ...thisComputer(version),
          databaseRow: () => databaseRow(() => catalogue.check()),
          live: {
            network: () => handlers.network({}, call),
            relay: () => handlers.relay({}, call),
            page: () => deps.page(),
            link: () => meter.rates(),
          },
        }),
    },
    close: async () => meter.close(),
  };
}
