import type { CallContext } from "@backroom/api/routes.ts";
import type { DaemonContext, TransferTotals } from "./context.ts";
import { createDoctor } from "./doctor/create-doctor.ts";
import { createEngine } from "./engine/engine.ts";
import type { EventHub } from "./http/event-hub.ts";
import { makeLocalEndpoint } from "./http/local-endpoint.ts";
import { startServer, type RunningServer } from "./http/server.ts";
import { createLimits } from "./limits/limits.ts";
import { createNetwork } from "./network/network.ts";
import { logFile } from "./process/daemon-files.ts";
import { endsInTime } from "./process/in-time.ts";
import { createLifecycle } from "./process/lifecycle.ts";
import { collectMetrics } from "./process/metrics.ts";
import { pageAssets } from "./process/page-assets.ts";
import { settingHandlers } from "./settings/handlers.ts";
import { createTokens } from "./tokens.ts";
import { createWatches, type WatchesDeps } from "./watches/watches.ts";

/** All parts together have this long to end; the rest of the five seconds is the catalogue's and the disk's. */
const PARTS_END_MS = 3_500;

/** What the daemon asks of itself is nobody's request. */
const OWN_CALL: CallContext = {
  signal: new AbortController().signal,
  stream: (async function* () {})(),
  tokenId: null,
  reach: null,
  host: null,
  address: "",
};

export interface PartsOptions {
  readonly version: string;
  readonly startedMs: number;
  /** Asks the daemon to stop. */
  readonly stop: () => void;
}

/**
 * Starts every part of the daemon, the one that listens last, and gives the page's address with what is to be said of it. `stack` ends them, also where this raises in the middle: first what listens, then all
 * others at once.
 */
export async function startParts(
  context: DaemonContext,
  events: EventHub,
  stack: AsyncDisposableStack,
  { version, startedMs, stop }: PartsOptions,
): Promise<Pick<RunningServer, "page" | "warnings">> {
  const { folder, settings, machine, log } = context;
  const closing: (() => Promise<void>)[] = [];
  stack.defer(async () => {
    if (await endsInTime(Promise.all(closing.map((close) => close())), PARTS_END_MS)) return;
    log("warn", "parts of the daemon did not end in time");
  });
  const begun = <P extends { close(): Promise<void> }>(part: P): P => {
    closing.push(() => part.close());
    return part;
  };

  let server: RunningServer | undefined;
  const page = (): string | null => server?.page ?? null;
  // The limits first: they hold from the first byte on.
  const limits = begun(createLimits(context));
  const engine = begun(await createEngine(context, { limits: limits.swarm }));
  const totals = (): TransferTotals => engine.totals();
  const network = begun(await createNetwork(context, { members: engine.members, limits }));
  const addShare: WatchesDeps["addShare"] = (input, signal) =>
    engine.handlers.addShare(input, { ...OWN_CALL, signal });
  const watches = begun(createWatches(context, { addShare }));
  const tokens = begun(createTokens(context, machine));
  const doctor = begun(createDoctor(context, { version, handlers: network.handlers, totals, page }));
  const lifecycle = begun(
    createLifecycle({ version, startedMs, logFile: logFile(folder.root), events, page, totals, stop }),
  );

  server = await startServer({
    context,
    events,
    handlers: {
      ...lifecycle.handlers,
      ...engine.handlers,
      ...network.handlers,
      ...limits.handlers,
      ...watches.handlers,
      ...settingHandlers(settings),
      ...doctor.handlers,
      ...tokens.handlers,
    },
    content: engine.content,
    metrics: () => collectMetrics({ version, startedMs, handlers: network.handlers, totals }, OWN_CALL),
    assets: await pageAssets(),
    endpoint: await makeLocalEndpoint(folder.root, process.platform, machine.random),
    version,
  });
  const running = server;
  stack.defer(() => running.close());
  return running;
}
