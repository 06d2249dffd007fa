import { useSyncExternalStore } from "react";

/** Where in the page somebody is: the fragment, `#/name/argument?query`. The daemon serves one document only. */
export interface Place {
  readonly name: string;
  readonly argument: string;
  readonly query: URLSearchParams;
}

export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [name = "", argument = ""] = path.split("/");
  return { name, argument, query: new URLSearchParams(query) };
}

export function goTo(place: string): void {
  location.hash = `#/${place}`;
}

export function useHash(): string {
  return useSyncExternalStore(
    (listener) => {
      addEventListener("hashchange", listener);
      return () => removeEventListener("hashchange", listener);
    },
    () => location.hash,
  );
}
