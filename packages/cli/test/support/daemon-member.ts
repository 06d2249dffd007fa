import assert from "node:assert/strict";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type Client } from "@backroom/api/client/client.ts";
import { nodeTransport } from "@backroom/api/client/node-transport.ts";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { findLocalEndpoint } from "@backroom/daemon/http/local-endpoint.ts";
import { backroom, type Run } from "./program.ts";
import { isRunning } from "@backroom/core/base/is-running.ts";

/** Longer than anything takes that goes on. */
const PATIENCE_MS = 90_000;
const LOOK_MS = 50;

/** A member with a daemon in the background, as people have it. `end` has to be called whatever happens: a daemon outlives the test. */
export class DaemonMember {
  readonly dataFolder: string;
  readonly #pids = new Set<number>();
  readonly #settings: Readonly<Record<string, string>>;

  /** `settings` are environment variables, for the daemon and for the commands alike. */
  constructor(dataFolder: string, settings: Readonly<Record<string, string>> = {}) {
    this.dataFolder = dataFolder;
    this.#settings = settings;
  }

  /** A command as a person writes it, with JSON: through the daemon. */
  run(...args: readonly string[]): Promise<Run> {
    return backroom(["--json", "--data", this.dataFolder, ...args], { env: this.env });
  }

  get env(): Record<string, string> {
    return {
      BACKROOM_FOREGROUND: "",
      // Several daemons on one computer, none of which is to read or change the settings of who runs the tests.
      BACKROOM_PAGE_ENABLED: "false",
      BACKROOM_CONFIG: path.join(this.dataFolder, "config.toml"),
      ...this.#settings,
    };
  }

  /** Starts the daemon and gives its process's number. */
  async start(): Promise<number> {
    const run = await this.run("daemon", "start");
    assert.equal(run.status, 0, `${run.stdout}${run.stderr}`);
    const pid = Number(run.lines().at(-1)?.["pid"]);
    this.#pids.add(pid);
    return pid;
  }

  async client(): Promise<Client> {
    const endpoint = await findLocalEndpoint(this.dataFolder, process.platform);
    assert.ok(endpoint !== undefined);
    return createClient(nodeTransport(endpoint));
  }

  /** The only transfer, once `wanted` accepts it. */
  async transfer(wanted: (transfer: Transfer) => boolean): Promise<Transfer> {
    const client = await this.client();
    let last: Transfer | undefined;
    for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs; await sleep(LOOK_MS)) {
      [last] = (await client.call("listTransfers")).transfers;
      if (last !== undefined && wanted(last)) return last;
      assert.notEqual(last?.state, "failed", JSON.stringify(last?.failure));
    }
    throw new Error(`it did not come so far: ${JSON.stringify(last)}`);
  }

  /** As a power cut does; resolves when it is gone. */
  async kill(pid: number): Promise<void> {
    process.kill(pid, "SIGKILL");
    await gone(pid);
  }

  async end(): Promise<void> {
    for (const pid of this.#pids) if (isRunning(pid)) await this.kill(pid);
  }
}

export async function gone(pid: number): Promise<void> {
  for (const endMs = performance.now() + PATIENCE_MS; isRunning(pid); await sleep(LOOK_MS))
    assert.ok(performance.now() < endMs, "the daemon does not end");
}
