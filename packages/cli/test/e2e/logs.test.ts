import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import type { DaemonLogs } from "../support/logged-daemons.ts";
import { LoggedRun } from "../support/logged-run.ts";
import { readLeases } from "../support/read-leases.ts";
import { leaseSecrets, linkSecrets, nameSecrets, secretsIn, textSecret } from "../support/secrets.ts";
import { makeFile, MIB, share } from "../support/transfer.ts";

/** Has to be in the logs, or they would prove nothing: of each layer what went well and what did not. */
const EVENTS = [
  "the command begins",
  "the command failed",
  "a fault ended the program",
  "joined the network",
  "the table of relays changed",
  "a channel opened",
  "a channel closed",
  "a relay could not be dialled",
  "a TLS handshake failed",
  "a channel was not opened",
  "a circuit was built",
  "a circuit could not be built",
  "a circuit was opened",
  "a circuit ended",
  "a topic was announced",
  "the DHT was asked",
  "a topic was looked up",
  "a seeder registered, or renewed",
  "the share is registered at gates",
  "a gate was asked for leases",
  "a tunnel was joined",
  "a tunnel to a seeder is up",
  "a peer is there",
  "a peer was dropped",
  "the pack is complete",
  "the daemon listens for its clients",
  "the daemon runs",
  "transfers go on",
  "the daemon stops",
];

/**
 * A whole network at level debug, with joins, failures, crashes, bad links and hostile input, of commands and of daemons with page, tokens, relay and watched folder. All that its members
 * write to standard error, daemons to their logs, and what they say on standard output besides what was asked for, is searched for everything that this very run had to hide. Would catch: an address, key,
 * link, topic, tag, name or path in a log, in a message, or in the report of a fault.
 */
test("logs at every level tell nobody's address, link, key or file", { timeout: 240_000 }, async (t) => {
  const run = await LoggedRun.start();
  let housed: Promise<DaemonLogs> | undefined;
  try {
    const { network } = run;
    const folder = network.path("Plans of Wilhelmina");
    await mkdir(folder);
    await makeFile(path.join(folder, "blueprint-of-the-vault.bin"), 6 * MIB);
    await writeFile(path.join(folder, "réponse.txt"), "to nobody");
    const shared = await share(network, "sharer", folder);
    const leases = await readLeases(network, shared.link);

    housed = run.daemons(folder);
    housed.catch(() => {});
    await run.hostileInput();
    await run.mistakes(shared.link);
    await run.crashes(shared.link);
    const daemons = await housed;
    await run.badSeeder(shared);
    const locked = await run.lockedShare(folder);
    await run.blackout();
    const secrets = [
      ...locked,
      ...(await linkSecrets(shared.link, network.dataFolder("sharer"))),
      ...leases.flatMap(leaseSecrets),
      ...daemons.secrets,
      ...(await run.secrets()),
    ];
    const unspoken = [
      ...run.typed(),
      ...daemons.typed,
      ...nameSecrets(folder),
      textSecret("share's name", path.basename(folder)),
    ];

    const logs = run.logs() + daemons.logs;
    const events = new Set(logs.split("\n").flatMap((line) => /"event":"([^"]*)"/.exec(line)?.[1] ?? []));
    t.diagnostic(`${logs.length} bytes of logs with ${events.size} events, ${secrets.length} secrets`);
    assert.deepEqual(
      EVENTS.filter((event) => !events.has(event)),
      [],
      "too little happened",
    );
    assert.deepEqual(secretsIn(logs, [...secrets, ...unspoken]), []);
    assert.deepEqual(secretsIn(run.spoken(), secrets), []);

    // The control: the same logs with one more word, and a program that does tell.
    for (const secret of [...secrets, ...unspoken]) {
      for (const { text } of secret.forms) {
        const planted = logs.slice(0, 500).replace('"event":"', `"event":"${text} `);
        assert.ok(secretsIn(planted, [secret]).length > 0, `${secret.what}, as ${text}, would not be found`);
      }
    }
    await run.ends("telltale", ["get", "-o", network.path("out", "telltale"), shared.link]);
    const told = secretsIn(run.logs(), await run.secrets());
    assert.match(told.join("\n"), /^address 127\.0\.[^]*^port /m, "what a program tells is not seen");
  } finally {
    await housed?.catch(() => {});
    await run.close();
  }
});
