import type { ReactNode } from "react";
import { useMessages } from "../messages/languages.tsx";
import { ask } from "../state/asking.ts";
import { status } from "../state/connection.ts";
import { useLive } from "../state/live.ts";
import type { Place } from "../state/place.ts";
import { Button } from "./basics.tsx";
import { formatRate } from "./format.ts";
import { Icon, type IconName } from "./icon.tsx";

const ROOMS: readonly IconName[] = ["transfers", "network", "settings", "doctor", "help"];

export function Navigation({ place }: { readonly place: Place }): ReactNode {
  const t = useMessages();
  const here =
    place.name === "transfer" || place.name === "" || place.name === "open" ? "transfers" : place.name;
  return (
    <header className="top">
      <a className="brand" href="#/transfers">
        <img src="/icon.svg" alt="" width="28" height="28" />
        <span>Backroom</span>
      </a>
      <nav aria-label={t.nav.label}>
        {ROOMS.map((room) => (
          <a key={room} href={`#/${room}`} aria-current={here === room ? "page" : undefined}>
            <Icon name={room} />
            <span>{t.nav[room as keyof typeof t.nav]}</span>
          </a>
        ))}
      </nav>
      <Totals />
      <div className="top-actions">
        <Button kind="primary" onPress={() => ask({ kind: "share", files: [] })}>
          {t.nav.share}
        </Button>
        <Button onPress={() => ask({ kind: "open", text: "" })}>{t.nav.open}</Button>
      </div>
    </header>
  );
}

function Totals(): ReactNode {
  const t = useMessages();
  const now = useLive(status);
  return (
    <div className="totals muted">
      {now !== null && (
        <>
          <span>
            {t.connection.down} <b>{formatRate(now.downloadRate, t)}</b>
          </span>
          <span>
            {t.connection.up} <b>{formatRate(now.uploadRate, t)}</b>
          </span>
        </>
      )}
    </div>
  );
}
