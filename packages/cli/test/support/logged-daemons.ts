import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@backroom/api/client/client.ts";
import { isRunning } from "@backroom/core/base/is-running.ts";
import { logFile } from "@backroom/daemon/process/daemon-files.ts";
import { DaemonMember, gone } from "./daemon-member.ts";
import { sendNonsense } from "./hostile-input.ts";
import type { TestNetwork } from "./network.ts";
import { bytesSecret, linkSecrets, portSecret, relaySecrets, textSecret, type Secret } from "./secrets.ts";
import { outFolder } from "./transfer.ts";

const LOOK_MS = 100;
/** So slow that there is a middle in which to be killed. */
const SLOW = 1024 * 1024;

/** What daemons have written, and what of theirs no log may tell. */
export interface DaemonLogs {
  readonly logs: string;
  readonly secrets: readonly Secret[];
  /** May be said to the person who typed it. */
  readonly typed: readonly Secret[];
}

/**
 * Two daemons at level debug, with all of it switched on: one with page, tokens, a watched folder and a relay that is a gate hands out `input`, the other fetches it,
 * and both are killed in the middle. `mark` stands in what strangers send and in what is mistyped. What a daemon prints stands in its log, too.
 */
export async function runLoggedDaemons(
  network: TestNetwork,
  { input, mark, host }: { readonly input: string; readonly mark: string; readonly host: string },
): Promise<DaemonLogs> {
  const settings = { BACKROOM_LOG: "debug", BACKROOM_DEBUG: "1", BACKROOM_RISK_ACCEPTED: "true" };
  const page = { BACKROOM_PAGE_ENABLED: "true", BACKROOM_PAGE_PORT: "0", BACKROOM_RELAY_HOSTS: host };
  for (const name of ["housed", "fetcher"]) await network.join(name);
  const housed = new DaemonMember(network.dataFolder("housed"), { ...settings, ...page });
  const fetcher = new DaemonMember(network.dataFolder("fetcher"), settings);
  try {
    const [sharing, fetching] = await Promise.all([housed.start(), fetcher.start()]);
    const client = await housed.client();
    await client.call("setRelay", { mode: "on", gate: true, port: 0 });
    await client.call("addShare", { paths: [input] });
    const shared = await housed.transfer(({ state, gateCount }) => state === "seeding" && gateCount > 0);
    const { link } = await client.call("links", { id: shared.id });

    const fetches = await fetcher.client();
    await fetches.call("setLimits", { always: { downloadRate: SLOW } });
    await fetches.call("addGet", { link, output: outFolder(network, "fetcher"), wait: true });
    await fetcher.transfer(({ doneBytes }) => doneBytes > 0);
    const relayPort = await portOfRelay(client);
    const secret = await bother(housed, client, network, { mark, host, relayPort });

    await Promise.all([housed.kill(sharing), fetcher.kill(fetching)]);
    const again = await Promise.all([housed.start(), fetcher.start()]);
    await (await fetcher.client()).call("setLimits", { always: { downloadRate: null } });
    await fetcher.transfer(({ state }) => state === "done");
    for (const member of [housed, fetcher]) {
      const stopped = await member.run("daemon", "stop");
      assert.equal(stopped.status, 0, stopped.stdout);
    }
    await Promise.all(again.filter(isRunning).map(gone));
    const logs = await Promise.all(
      [housed, fetcher].map((member) => readFile(logFile(member.dataFolder), "utf8")),
    );
    const links = await Promise.all([
      linkSecrets(link, housed.dataFolder),
      // Its sharer's seed is the other one's.
      linkSecrets(link, fetcher.dataFolder),
      relaySecrets(housed.dataFolder),
    ]);
    return {
      logs: logs.join(""),
      secrets: [...links.flat(), ...secret, portSecret(relayPort)],
      typed: [textSecret("downloads", outFolder(network, "fetcher"))],
    };
  } finally {
    await Promise.all([housed.end(), fetcher.end()]);
  }
}

async function portOfRelay(client: Client): Promise<number> {
  for (let looks = 0; looks < 300; looks++, await sleep(LOOK_MS)) {
    const { state, port } = await client.call("relay");
    if (state === "running" && port !== null) return port;
  }
  return assert.fail("the relay does not run");
}

/** What strangers, and people who mistype, do to a daemon while it works. Gives what it told to them alone. */
async function bother(
  member: DaemonMember,
  client: Client,
  network: TestNetwork,
  { mark, host, relayPort }: { readonly mark: string; readonly host: string; readonly relayPort: number },
): Promise<Secret[]> {
  const watched = network.path("watched");
  await mkdir(watched);
  await writeFile(path.join(watched, `${mark}.txt`), mark);
  await client.call("addWatch", { folder: watched });
  const { secret } = await client.call("addToken", { name: mark, scopes: ["read"] });
  const { url } = await client.call("openPage");
  await client.call("doctor");
  await assert.rejects(client.call("addGet", { link: `backroom:${mark}` }));
  await assert.rejects(client.call("addShare", { paths: [`/nowhere/${mark}`] }));
  for (const args of [["get", `backroom:${mark}`], ["config", "set", `no.${mark}`, mark], ["doctor"]]) {
    await member.run(...args);
  }
  await sendNonsense(host, relayPort, mark);
  const { hostname, port, hash } = new URL(url);
  const asks = [
    `GET /${mark}?token=${secret} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${mark}\r\n`,
    `POST /api/v1/gets HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${secret}\r\nContent-Length: 5\r\n\r\n{${mark}`,
    `GET / HTTP/1.1\r\nHost: ${mark}.example\r\n`,
    `${mark} ${mark}\r\n`,
  ];
  for (const ask of asks) await overTcp(hostname, Number(port), `${ask}Connection: close\r\n\r\n`);
  const code = hash.slice(hash.indexOf("=") + 1);
  return [
    textSecret("a token", secret),
    textSecret("a page's code", code),
    bytesSecret("a token's bytes", Buffer.from(secret)),
  ];
}

function overTcp(host: string, port: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.on("error", () => {}).once("close", () => resolve());
    socket.resume().end(text);
  });
}
