import type { Answer } from "@backroom/api/routes.ts";
import type { ReactNode } from "react";
import { useMessages } from "../messages/languages.tsx";
import { formatDuration } from "./format.ts";

type Circuit = Answer<"network">["circuits"][number];

/**
 * Circuits as layers: this computer at the left, somebody at the right, and between them who sees whom. Behind a gate the other side's relays follow; how
 * many is the other side's affair, so they are drawn as the profile says and never named.
 */
export function RoutePicture({ circuits }: { readonly circuits: readonly Circuit[] }): ReactNode {
  const t = useMessages();
  return (
    <ul className="routes">
      {circuits.map((circuit, at) => {
        const toOthers = circuit.purpose === "seeder" || circuit.purpose === "downloader";
        const ends = toOthers ? [t.network.hop.middle, t.network.hop.guard] : [];
        const label = [
          t.network.you,
          ...circuit.hops.map(({ role }) => t.network.hop[role]),
          ...(toOthers ? [...ends, t.network.someone] : []),
        ];
        return (
          // Circuits have no names of their own, and come and go at the end of the list.
          <li key={at} className="route">
            <p className="muted">
              {t.network.purpose[circuit.purpose]} · {formatDuration(Math.floor(circuit.ageMs / 1000))}
            </p>
            <ol aria-label={label.join(", ")}>
              <li className="hop hop-you">{t.network.you}</li>
              {circuit.hops.map(({ role, key }, position) => (
                <li key={position} className={`hop hop-${role}`}>
                  {t.network.hop[role]}
                  <code>{key}</code>
                </li>
              ))}
              {ends.map((name, position) => (
                <li key={`far ${position}`} className="hop hop-far">
                  {name}
                </li>
              ))}
              {toOthers && <li className="hop hop-far">{t.network.someone}</li>}
            </ol>
          </li>
        );
      })}
    </ul>
  );
}
