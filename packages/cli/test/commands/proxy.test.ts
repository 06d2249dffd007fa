import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { proxySummary } from "@backroom/core/node/proxy-setting.ts";
import { FakeDaemon } from "../support/fake-daemon.ts";
import { runInProcess } from "../support/in-process.ts";
import { TestFolder } from "../support/program.ts";

let folder: TestFolder;
before(async () => (folder = await TestFolder.make()));
after(() => folder.remove());

const TOR = "socks5://127.0.0.1:9050";

function daemonWhose(origin: "file" | "flag"): FakeDaemon {
  const daemon = new FakeDaemon();
  daemon.instead.setSetting = ({ key, value }) => ({
    key,
    value,
    origin,
    default: null,
    expects: "",
    environment: "",
    description: "",
    takesHold: "now",
  });
  return daemon;
}

/** Would catch: a proxy that is written down while the daemon that runs goes on connecting past it. */
test("a daemon that runs is told of the proxy and of the local network", async () => {
  const data = ["--data", folder.join("told")];
  const daemon = daemonWhose("file");
  const asked = (): unknown => daemon.asked.at(-1);
  await runInProcess([...data, "proxy", TOR], { daemon });
  assert.deepEqual(asked(), { name: "setSetting", input: { key: "network.proxy", value: TOR } });
  await runInProcess([...data, "proxy", "off"], { daemon });
  assert.deepEqual(asked(), { name: "setSetting", input: { key: "network.proxy", value: null } });
  await runInProcess([...data, "net", "lan", "on"], { daemon });
  assert.deepEqual(asked(), { name: "setSetting", input: { key: "network.lan", value: true } });
  const before = daemon.asked.length;
  const wrong = await runInProcess([...data, "proxy", "socks5://localhost:1"], { daemon });
  assert.match(wrong.stderr, /error\[E_PROXY\]/);
  assert.equal(daemon.asked.length, before);
});

test("one that was started with a proxy of its own stays with it, and that is said", async () => {
  const run = await runInProcess(["--data", folder.join("own"), "proxy", "off"], {
    daemon: daemonWhose("flag"),
  });
  assert.match(run.stderr, /started with a proxy of its own/);
});

test("without a daemon it is written down", async () => {
  const data = folder.join("alone");
  assert.equal((await runInProcess(["--data", data, "proxy", TOR])).status, 0);
  assert.equal((await proxySummary(data, undefined)).place, "127.0.0.1:9050");
  assert.equal((await runInProcess(["--data", data, "proxy", "off"])).stdout, "off\n");
});
