import type { ReactNode } from "react";
import { useMessages } from "../messages/languages.tsx";
import { closeNotice, connected, notices } from "../state/connection.ts";
import { useLive } from "../state/live.ts";
import { Button } from "./basics.tsx";
import { showable } from "./format.ts";

/** What the daemon has to say, and whether it is there. */
export function Bell(): ReactNode {
  const t = useMessages();
  const isConnected = useLive(connected);
  const all = useLive(notices);
  return (
    <div className="bell" role="status" aria-live="polite">
      {!isConnected && <p className="notice notice-warn">{t.connection.lost}</p>}
      {all.map(({ id, level, text }) => (
        <p key={id} className={`notice notice-${level}`}>
          {showable(text)}
          <Button aria-label={t.close} onPress={() => closeNotice(id)}>
            ✕
          </Button>
        </p>
      ))}
    </div>
  );
}
