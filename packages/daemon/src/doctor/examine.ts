import type { DoctorReport } from "@backroom/api/schemas/daemon.ts";
import type { DataFolder } from "@backroom/core/node/data-folder.ts";
import type { Settings } from "../settings/settings.ts";
import { dataFolderRow } from "./folder-rows.ts";
import { dhtRow, keptNetwork } from "./kept-network.ts";
import type { LinkRates } from "./link-meter.ts";
import type { MachineFacts } from "./machine-facts.ts";
import { coresRow, diskRow, linkRow, memoryRow } from "./machine-rows.ts";
import {
  clockRow,
  daemonRow,
  guardsRow,
  networkRow,
  reachabilityRow,
  type NetworkNow,
  type RelayNow,
} from "./network-rows.ts";
import { permissionsRow } from "./permissions.ts";
import { isPageFixed } from "../http/page-port.ts";
import { pagePortRow, relayPortRow, type TryPort } from "./port-rows.ts";
import { proxyRow, type Knock } from "./proxy-row.ts";
import { checked, reportOf, row, type DoctorRow } from "./rows.ts";
import { settingsRow } from "./settings-row.ts";

/** What a running daemon knows and nobody else. */
export interface Live {
  network(): Promise<NetworkNow>;
  relay(): Promise<RelayNow>;
  /** The page's address; null where none is served. */
  page(): string | null;
  link(): LinkRates | undefined;
}

export interface Examined {
  readonly folder: DataFolder;
  readonly settings: Settings;
  readonly facts: MachineFacts;
  readonly platform: NodeJS.Platform;
  readonly version: string;
  readonly nodeVersion: string;
  readonly tryPort: TryPort;
  readonly knock: Knock;
  /** Raises E_CATALOGUE_DAMAGED. */
  databaseRow(): DoctorRow;
  /** Undefined where no daemon runs. */
  readonly live: Live | undefined;
}

/** Looks at the computer, the network and the data folder, and says what to do about each. Raises nothing. */
export async function examine(examined: Examined): Promise<DoctorReport> {
  const { folder, settings, facts, live, platform, tryPort, knock } = examined;
  const network = once(() => live?.network());
  const relay = once(() => live?.relay());
  const kept = once(() => keptNetwork(folder));
  const proxy = settings.get("network.proxy");
  const page = {
    isOn: settings.get("page.enabled"),
    host: settings.get("page.host"),
    port: settings.get("page.port"),
    isFixed: isPageFixed(settings),
  };
  return reportOf(
    await Promise.all([
      ...machineChecks(facts, folder.root, live?.link()),
      checked("daemon", () => daemonRow(live !== undefined)),
      checked("clock", async () => clockRow(await network())),
      checked("network", async () => networkRow(await network())),
      checked("guards", async () => guardsRow(await network(), (await kept())?.guardCount)),
      checked("reachability", async () => reachabilityRow(await relay())),
      checked("relay port", async () => relayPortRow(settings.get("relay.port"), await relay(), tryPort)),
      checked("page port", () => pagePortRow(page, live?.page(), tryPort)),
      checked("proxy", () => proxyRow(proxy, knock)),
      checked("dht", async () => dhtRow(await kept(), proxy !== null)),
      checked("data folder", async () => dataFolderRow(folder, await facts.disk(folder.root))),
      checked("permissions", () => permissionsRow(folder, settings.file, platform)),
      checked("database", () => examined.databaseRow()),
      checked("settings", () => settingsRow(settings)),
      checked("version", () => versionRow(examined.version, examined.nodeVersion)),
    ]),
  );
}

/** What can be said of a computer whose data folder or settings cannot be opened. */
export function machineChecks(
  facts: MachineFacts,
  place: string,
  link: LinkRates | undefined,
): Promise<DoctorRow>[] {
  return [
    checked("memory", () => memoryRow(facts.memory())),
    checked("cores", async () => coresRow(await facts.cores())),
    checked("free disk", async () => diskRow(await facts.disk(place))),
    checked("link", () => linkRow(link)),
  ];
}

function versionRow(version: string, nodeVersion: string): DoctorRow {
  return row("version", "ok", `Backroom ${version} on Node ${nodeVersion}`);
}

/** Asks once, for all checks that want the answer. */
function once<T>(ask: () => T): () => T {
  let answer: { readonly value: T } | undefined;
  return () => (answer ??= { value: ask() }).value;
}
