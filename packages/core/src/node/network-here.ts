import path from "node:path";
import { BackroomError } from "../base/errors.ts";
import { openDataFolder } from "./data-folder.ts";
import type { Hooks } from "./hooks.ts";
import { joinNetwork } from "./networks.ts";
import { runRelay } from "./relay-node.ts";
import type { RunningRelay } from "./running-relay.ts";

export interface NetworkHereOptions {
  readonly dataFolder: string | undefined;
  /** As in `RelayOptions`. */
  readonly proxy: string | undefined;
  readonly lan: boolean;
  /** The address of this computer that others reach; found out where undefined. */
  readonly host: string | undefined;
  /** Of the first relay; the others take the following ones. 0 takes free ones. */
  readonly port: number;
  readonly relayCount: number;
  readonly signal: AbortSignal;
  readonly onReady: (invite: string) => void;
}

/**
 * Runs all relays of the network in use in this process: for two computers and no network yet (DESIGN 4). Each relay has keys of its own below
 * `relays/` in the data folder, so that they are the same after a restart. Raises as `runRelay`; then all are stopped.
 */
export async function runNetworkHere(options: NetworkHereOptions, hooks: Hooks): Promise<void> {
  const folder = await openDataFolder(options.dataFolder);
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const running: Promise<void>[] = [];
  let failure: unknown;
  let known = 0;

  const start = (index: number, dataFolder: string, relayHooks: Hooks): Promise<RunningRelay> => {
    const { promise, resolve, reject } = Promise.withResolvers<RunningRelay>();
    const run = runRelay(
      {
        dataFolder,
        proxy: options.proxy,
        lan: options.lan,
        hosts: options.host === undefined ? undefined : [options.host],
        port: options.port === 0 ? 0 : options.port + index,
        findOut: false,
        gate: true,
        signal,
        onReady: resolve,
      },
      relayHooks,
    );
    running.push(
      run.catch((error: unknown) => {
        failure ??= error;
        reject(
          error instanceof Error ? error : new BackroomError("E_INTERNAL", "a relay could not be started"),
        );
        failed.abort();
      }),
    );
    return promise;
  };

  const quiet: Hooks = { ...hooks, event: () => {} };
  const counting: Hooks = {
    ...hooks,
    event(name, data) {
      if (name === "relays") known = Number(data["known"]);
      hooks.event(name, data);
    },
  };
  try {
    hooks.status(`Starting ${options.relayCount} relays …`);
    const first = await start(0, folder.root, counting);
    const invite = first.invite();
    for (let index = 1; index < options.relayCount; index++) {
      const relayFolder = path.join(folder.root, "relays", String(index + 1));
      await joinNetwork({ dataFolder: relayFolder, invite });
      await start(index, relayFolder, quiet);
    }
    hooks.status("Started. Waiting until the relays have heard of each other …");
    await untilKnown(() => known >= options.relayCount, signal);
    if (!signal.aborted) {
      const ready = first.invite();
      // Whoever shares on this very computer joins as everybody does, and finds no relay in a network file of its own making.
      await joinNetwork({ dataFolder: folder.root, invite: ready });
      options.onReady(ready);
    }
  } catch (error) {
    failure ??= error;
    failed.abort();
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure;
}

/** An invite names several relays, so it waits until they have heard of each other. */
async function untilKnown(reached: () => boolean, signal: AbortSignal): Promise<void> {
  while (!reached() && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 50));
}
