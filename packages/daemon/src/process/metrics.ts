import { TransferState } from "@backroom/api/schemas/transfer.ts";
import type { Answer, CallContext, Handlers } from "@backroom/api/routes.ts";
import type { TransferTotals } from "../context.ts";
import type { Metric } from "../http/metrics-text.ts";

export interface MetricsDeps {
  readonly version: string;
  readonly startedMs: number;
  readonly handlers: Pick<Handlers, "network" | "relay">;
  totals(): TransferTotals;
}

/** Sums over everybody and everything: no name, no id, nothing that tells one share or one circuit from another. */
export async function collectMetrics(deps: MetricsDeps, call: CallContext): Promise<Metric[]> {
  const [network, relay] = await Promise.all([
    deps.handlers.network({}, call),
    deps.handlers.relay({}, call),
  ]);
  return [...ofProcess(deps), ...ofTransfers(deps.totals()), ...ofNetwork(network), ...ofRelay(relay)];
}

function ofProcess({ version, startedMs }: MetricsDeps): Metric[] {
  const { user, system } = process.cpuUsage();
  return [
    {
      name: "backroom_info",
      help: "The version that runs.",
      type: "gauge",
      values: [{ labels: { version }, value: 1 }],
    },
    gauge(
      "process_start_time_seconds",
      "When the daemon was started, in seconds since 1970.",
      startedMs / 1000,
    ),
    counter("process_cpu_seconds_total", "Processor time of the daemon's process.", (user + system) / 1e6),
    gauge("process_resident_memory_bytes", "Memory of the daemon's process.", process.memoryUsage.rss()),
  ];
}

function ofTransfers(totals: TransferTotals): Metric[] {
  const values = TransferState.options.map((state) => ({
    labels: { state },
    value: totals.byState[state] ?? 0,
  }));
  return [
    { name: "backroom_transfers", help: "Transfers by what they do.", type: "gauge", values },
    counter("backroom_downloaded_bytes_total", "Payload fetched since the start.", totals.downloadedBytes),
    counter("backroom_uploaded_bytes_total", "Payload handed out since the start.", totals.uploadedBytes),
    gauge("backroom_peers", "Peers of all transfers.", totals.peerCount),
  ];
}

function ofNetwork({ network, guardCount, circuitCount }: Answer<"network">): Metric[] {
  return [
    gauge("backroom_relays_known", "Relays known of the network in use.", network?.relaysKnown ?? 0),
    gauge("backroom_guards", "Guards in use.", guardCount),
    gauge("backroom_circuits", "Circuits of this member.", circuitCount),
  ];
}

function ofRelay(relay: Answer<"relay">): Metric[] {
  return [
    gauge("backroom_relay_running", "1 while this computer relays.", relay.state === "running" ? 1 : 0),
    gauge("backroom_relay_reachable", "1 where others can dial the relay.", relay.reachable === true ? 1 : 0),
    gauge("backroom_relay_circuits", "Circuits of others through the relay.", relay.circuitCount),
    gauge("backroom_relay_guests", "Members behind routers that the relay is open to.", relay.guestCount),
    counter(
      "backroom_relay_carried_bytes_total",
      "Carried for others since the relay was started.",
      relay.carriedBytes,
    ),
  ];
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, type: "gauge", values: [{ value }] };
}

function counter(name: string, help: string, value: number): Metric {
  return { name, help, type: "counter", values: [{ value }] };
}
