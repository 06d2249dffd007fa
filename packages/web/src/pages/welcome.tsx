import { useState, type ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Button, Check, Section, Trouble } from "../parts/basics.tsx";
import { CopyBox } from "../parts/copy-box.tsx";
import { ask } from "../state/asking.ts";
import { network, relay } from "../state/connection.ts";
import { useLive } from "../state/live.ts";

/** What somebody sees who has nothing here yet. */
export function Welcome(): ReactNode {
  const t = useMessages();
  const net = useLive(network);
  return (
    <div className="welcome">
      <h1>{t.welcome.title}</h1>
      <div className="cards">
        <Section title={t.welcome.share} text={t.welcome.shareText}>
          <Button kind="primary" onPress={() => ask({ kind: "share", files: [] })}>
            {t.nav.share}
          </Button>
        </Section>
        <Section title={t.welcome.open} text={t.welcome.openText}>
          <Button kind="primary" onPress={() => ask({ kind: "open", text: "" })}>
            {t.nav.open}
          </Button>
          {net?.network === null && (
            <>
              <p className="muted">{t.welcome.noNetwork}</p>
              <Button onPress={() => ask({ kind: "open", text: "" })}>{t.welcome.invite}</Button>
            </>
          )}
        </Section>
        <Section title={t.welcome.demo} text={t.welcome.demoText}>
          <CopyBox text="backroom demo" label="backroom demo" />
        </Section>
      </div>
      <RelayQuestion />
    </div>
  );
}

/** Asked once (ADR 16): until somebody has said yes or no. */
function RelayQuestion(): ReactNode {
  const t = useMessages();
  const state = useLive(relay);
  const [gate, setGate] = useState(false);
  const [error, setError] = useState<unknown>(null);
  if (state === null || state.mode !== null) return null;
  const answer = (mode: "auto" | "off"): void => {
    call("setRelay", { mode, gate: mode === "auto" && gate }).then(
      (now) => relay.set(now),
      (problem: unknown) => setError(problem),
    );
  };
  return (
    <Section title={t.welcome.relayQuestion} text={t.welcome.relayText}>
      <Check isSelected={gate} onChange={setGate}>
        {t.settings.gate} <span className="muted">{t.settings.gateHint}</span>
      </Check>
      <div className="row">
        <Button kind="primary" onPress={() => answer("auto")}>
          {t.welcome.relayYes}
        </Button>
        <Button onPress={() => answer("off")}>{t.welcome.relayNo}</Button>
      </div>
      <Trouble error={error} />
    </Section>
  );
}
