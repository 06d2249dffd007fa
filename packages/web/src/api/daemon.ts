import { createClient } from "@backroom/api/client/client.ts";
import { fetchTransport } from "@backroom/api/client/fetch-transport.ts";
import { ApiProblem } from "@backroom/api/client/api-problem.ts";
import { browserName } from "../state/browser-name.ts";
import { live } from "../state/live.ts";

const KEY = "backroom-token";

/** Whether this page has a token; `unknown` until that has been looked at. */
export const access = live<"unknown" | "granted" | "none">("unknown");

const client = createClient(
  fetchTransport({
    origin: location.origin,
    token: () => sessionStorage.getItem(KEY) ?? undefined,
  }),
);

/** One operation of the daemon's API. Raises BackroomError. */
export const call: typeof client.call = async (name, ...given) => {
  try {
    return await client.call(name, ...given);
  } catch (error) {
    if (isSignedOut(error)) signOut();
    throw error;
  }
};

export const daemonEvents: typeof client.events = (options) => client.events(options);

/**
 * The page is opened with a code in the fragment, which no server and no log sees and which holds once: it is exchanged for a token that lives in this
 * tab alone. Without one the page says how to get it.
 */
export async function openSession(): Promise<void> {
  const code = /[#&]code=([\w-]+)/.exec(location.hash)?.[1];
  if (code !== undefined) {
    // Out of the history at once, whether it is still good or not.
    history.replaceState(null, "", `${location.pathname}#/`);
    const made = await client
      .call("beginSession", { code, browser: browserName(navigator.userAgent) })
      .catch(() => undefined);
    if (made !== undefined) sessionStorage.setItem(KEY, made.secret);
  }
  access.set(sessionStorage.getItem(KEY) === null ? "none" : "granted");
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  access.set("none");
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 401;
}
