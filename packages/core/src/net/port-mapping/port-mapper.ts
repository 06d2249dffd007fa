import { isBackroomError } from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { LIMITS } from "../../base/limits.ts";
import { besideModule } from "../../base/beside-module.ts";
import { startOwnProcess } from "../own-process.ts";
import { PCP_NONCE_BYTES } from "./nat-pmp.ts";
import { decodeMapping, type MappingJob, type PortMapping } from "./messages.ts";

/** Has the local network's router hand on a TCP port. Nothing that a router answers makes it raise, wait for long, or take much memory. */
export interface PortMapper {
  /** `wished` is the router's port that would be best; it may give another one. Undefined where no router does it. */
  map(port: number, wished: number): Promise<PortMapping | undefined>;
  /** Gives a mapping up, as far as the router hears it. */
  release(port: number, mapped: number): Promise<void>;
}

const CHILD = besideModule(import.meta.url, "child");

export interface PortMapperOptions extends Pick<MappingJob, "gateways" | "pmpPort"> {
  readonly clock: Pick<Clock, "after">;
  readonly random: Random;
}

/** Asks by PCP, NAT-PMP and UPnP, each time in a process of its own. */
export function createPortMapper({ clock, random, ...where }: PortMapperOptions): PortMapper {
  const common = { ...where, nonce: random.bytes(PCP_NONCE_BYTES).toString("hex") };
  return {
    map(port, wished) {
      const lifetimeS = LIMITS.portMappingMostMs / 1000;
      return runJob({ ...common, internalPort: port, externalPort: wished, lifetimeS }, clock);
    },
    async release(port, mapped) {
      await runJob({ ...common, internalPort: port, externalPort: mapped, lifetimeS: 0 }, clock);
    },
  };
}

function runJob(job: MappingJob, clock: Pick<Clock, "after">): Promise<PortMapping | undefined> {
  return new Promise((resolve) => {
    const child = startOwnProcess("port-mapping", CHILD, LIMITS.portMappingHeapMiB);
    const end = (mapping: PortMapping | undefined): void => {
      cancel();
      child.kill("SIGKILL");
      resolve(mapping);
    };
    const cancel = clock.after(LIMITS.portMappingMs, () => end(undefined));
    child.once("message", (message) => {
      try {
        end(decodeMapping(message));
      } catch (error) {
        if (!isBackroomError(error)) throw error;
        end(undefined);
      }
    });
    child.once("error", () => end(undefined));
    child.once("exit", () => end(undefined));
    child.send(job, () => {});
  });
}
