import type { Examined } from "./examine.ts";
import { tryListening } from "./port-rows.ts";
import { knock } from "./proxy-row.ts";
import { systemFacts } from "./system-facts.ts";

/** What is examined where it is not a test. */
export function thisComputer(
  version: string,
): Pick<Examined, "facts" | "platform" | "version" | "nodeVersion" | "tryPort" | "knock"> {
  return {
    facts: systemFacts,
    platform: process.platform,
    version,
    nodeVersion: process.versions.node,
    tryPort: tryListening,
    knock,
  };
}
