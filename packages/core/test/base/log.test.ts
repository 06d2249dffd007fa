import { test } from "node:test";
import { silentLog as log } from "../../src/base/log.ts";

/**
 * The compiler is the test (`npm run check`): each `@ts-expect-error` fails it where the line below passes. Would catch: a type of the log
 * that lets in what came from outside.
 */
test("a log takes what stands in the source, and counts", () => {
  const host: string = ["192.0.2.1"].join();
  const which = host === "" ? "nothing came" : "something came";
  log("debug", which);
  log("debug", "a circuit was built", {
    code: "E_TUNNEL",
    role: "seeder",
    gateCount: 2,
    tookMs: 3,
    isFull: true,
  });

  // @ts-expect-error: a text that was read or made
  log("debug", host);
  // @ts-expect-error: a text with something put into it
  log("debug", `to ${host}`);
  // @ts-expect-error: the same
  log("debug", "to " + host);
  // @ts-expect-error: a field of another name
  log("debug", "a dial", { host });
  // @ts-expect-error: a text under the name of a count
  log("debug", "a dial", { hostCount: host });
  // @ts-expect-error: a number that names no unit, such as a port
  log("debug", "a dial", { port: 443 });
  // @ts-expect-error: any text for a word
  log("debug", "a dial", { role: host });
  // @ts-expect-error: any text for a code
  log("debug", "a dial", { code: host });
  // @ts-expect-error: any text for a fact
  log("debug", "a dial", { isHost: host });
  // @ts-expect-error: an error, whose message may say anything
  log("debug", "a dial", new Error(host));
  // @ts-expect-error: bytes
  log("debug", "a dial", { keyBytes: Buffer.from(host) });
});
