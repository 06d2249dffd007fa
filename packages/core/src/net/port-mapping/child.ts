/**
 * The process that asks the router for a port: it reads what anybody in the local network may answer, through a library that was not written for
 * hostile routers. So it has an empty environment, may not write files or start programs, holds no key, does one job, and is killed when that
 * takes too long.
 */
import { findGateways } from "./gateways.ts";
import { guardHttp } from "./guarded-http.ts";
import type { MappingJob } from "./messages.ts";
import type { Granted } from "./nat-pmp.ts";
import { askPmpGateway } from "./pmp-client.ts";

process.on("disconnect", () => process.exit(0));
process.once("message", (job) => {
  void ask(job as MappingJob).then(({ externalPort: port, lifetimeS }) => {
    process.send?.({ port, lifetimeS }, () => process.exit(0));
  });
});

const NOTHING: Granted = { externalPort: 0, lifetimeS: 0 };

/** PCP and NAT-PMP first: they are small, and answered or not within two seconds. Giving up is told in both ways. */
async function ask(job: MappingJob): Promise<Granted> {
  const gateways = job.gateways ?? findGateways();
  const nonce = Buffer.from(job.nonce, "hex");
  const asked = await Promise.all(
    gateways.map((host) => askPmpGateway(host, job, nonce, job.pmpPort).catch(() => undefined)),
  );
  const granted = asked.find((one) => one !== undefined);
  if (granted !== undefined && job.lifetimeS > 0) return granted;
  guardHttp(gateways);
  // Loaded when it is needed, and after the guard is up.
  const { askUpnpGateway } = await import("./upnp.ts");
  return askUpnpGateway(job).catch(() => NOTHING);
}
