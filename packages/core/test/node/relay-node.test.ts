import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { mock, test } from "node:test";
import { silentLog } from "../../src/base/log.ts";
import type { Hooks } from "../../src/node/hooks.ts";
import { createNetwork } from "../../src/node/networks.ts";
import { runRelay } from "../../src/node/relay-node.ts";
import { withFolder } from "../store/temporary.ts";

const HOOKS: Hooks = {
  progress() {},
  status() {},
  event() {},
  note() {},
  warn() {},
  confirm: () => Promise.resolve(false),
  log: silentLog,
};

/** Would catch: timers that pile up in a daemon whose relay is tried every few minutes while another program has its port. */
test("a relay whose port is taken leaves nothing behind", async () => {
  await withFolder(async (dataFolder) => {
    await createNetwork({ dataFolder, name: "test" });
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, resolve));
    const { port } = other.address() as AddressInfo;
    const { setTimeout: set, clearTimeout: clear } = globalThis;
    const pending = new Set<unknown>();
    mock.method(globalThis, "setTimeout", (run: () => void, ms: number) => {
      const timer = set(() => {
        pending.delete(timer);
        run();
      }, ms);
      pending.add(timer);
      return timer;
    });
    mock.method(globalThis, "clearTimeout", (timer: NodeJS.Timeout | undefined) => {
      pending.delete(timer);
      clear(timer);
    });
    try {
      const options = { dataFolder, proxy: undefined, lan: false, findOut: false, port, gate: false };
      const signal = new AbortController().signal;
      for (let tries = 0; tries < 3; tries++) {
        const run = runRelay({ ...options, hosts: ["127.0.0.1"], signal, onReady() {} }, HOOKS);
        await assert.rejects(run, { code: "E_PORT_IN_USE" });
      }
      assert.equal(pending.size, 0);
    } finally {
      mock.restoreAll();
      await new Promise((resolve) => other.close(resolve));
    }
  });
});
