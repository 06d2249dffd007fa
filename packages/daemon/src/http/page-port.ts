import { isBackroomError } from "@backroom/core/base/errors.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Settings } from "../settings/settings.ts";

/** The catalogue's value with the port that the page was served at instead of its own. */
const SUBSTITUTE = "page.substitute-port";

export interface PagePortDeps {
  readonly settings: Pick<Settings, "get" | "entries">;
  readonly catalogue: Pick<Catalogue, "value" | "putValue">;
}

/**
 * Listens for the page at its port. Where that is taken and nobody chose it, as by the daemon of another data folder, at another one: the same as last time,
 * so that a browser's bookmark stays good, or else one that is free. A port that somebody chose is kept to, and so is one that has to be known outside.
 * Raises E_PORT_IN_USE.
 */
export async function listenForPage(
  { settings, catalogue }: PagePortDeps,
  listen: (port: number) => Promise<number>,
): Promise<{ readonly port: number; readonly isSubstitute: boolean }> {
  const wanted = settings.get("page.port");
  try {
    return { port: await listen(wanted), isSubstitute: false };
  } catch (error) {
    if (!isBackroomError(error, "E_PORT_IN_USE") || isPageFixed(settings)) throw error;
  }
  const before = catalogue.value(SUBSTITUTE);
  const port = await listen(isPort(before) ? before : 0).catch((error: unknown) => {
    if (!isBackroomError(error, "E_PORT_IN_USE")) throw error;
    return listen(0);
  });
  if (port !== before) catalogue.putValue(SUBSTITUTE, port);
  return { port, isSubstitute: true };
}

/** Whether the page has to be where its settings say: then a taken port is an error. */
export function isPageFixed(settings: PagePortDeps["settings"]): boolean {
  const origin = settings.entries().find(({ key }) => key === "page.port")?.origin;
  return origin !== "default" || settings.get("page.hosts") !== "";
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536;
}
