import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, type ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Button, Facts, Section } from "../parts/basics.tsx";
import { formatBytes, showable } from "../parts/format.ts";
import { InviteBox } from "../parts/invite-box.tsx";
import { RoutePicture } from "../parts/route-picture.tsx";
import { ask } from "../state/asking.ts";
import { network, relay } from "../state/connection.ts";
import { useLive } from "../state/live.ts";

// The library that draws curves is loaded where one is drawn.
const TrafficChart = lazy(async () => ({
  default: (await import("../parts/traffic-chart.tsx")).TrafficChart,
}));

export function NetworkPage(): ReactNode {
  const t = useMessages();
  const net = useLive(network);
  if (net === null) return <p className="muted">{t.loading}</p>;
  return (
    <div className="network">
      <h1>{t.network.title}</h1>
      <div className="cards">
        <Section title={net.network === null ? t.network.none : showable(net.network.name)}>
          <p>{t.network.state[net.state]}</p>
          {net.network?.test === true && <p className="warning">{t.network.test}</p>}
          <Facts
            rows={[
              [t.network.relaysKnown, String(net.network?.relaysKnown ?? 0)],
              [t.network.guards, String(net.guardCount)],
            ]}
          />
          <p className="muted">{t.network.guardsHint}</p>
        </Section>
        {net.privacy !== null && (
          <Section title={t.network.privacy}>
            <ul className={`privacy privacy-${net.privacy.level}`}>
              {(t.network.privacySaid[net.privacy.level] ?? net.privacy.sentences).map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
          </Section>
        )}
        <OwnRelay />
      </div>
      <Section title={t.network.circuits} text={t.network.circuitsHint}>
        {net.circuits.length === 0 ? (
          <p className="muted">{t.network.noCircuits}</p>
        ) : (
          <RoutePicture circuits={net.circuits} />
        )}
      </Section>
      <Section title={t.network.traffic}>
        <Suspense fallback={<p className="muted">{t.loading}</p>}>
          <TrafficChart />
        </Suspense>
      </Section>
      <div className="cards">
        <Networks />
        {net.network !== null && (
          <Section title={t.network.invite} text={t.network.inviteText}>
            <InviteBox label={t.network.invite} />
          </Section>
        )}
      </div>
    </div>
  );
}

function OwnRelay(): ReactNode {
  const t = useMessages();
  const state = useLive(relay);
  if (state === null) return null;
  const reach =
    state.reachable === null ? t.unknown : state.reachable ? t.network.reachable : t.network.behind;
  return (
    <Section title={t.network.relay}>
      <p>
        {t.network.relayState[state.state]}
        {state.state === "running" && ` · ${reach}`}
      </p>
      {state.state === "running" && (
        <Facts
          rows={[
            [t.network.carried, formatBytes(state.carriedBytes, t)],
            [t.network.relayCircuits, String(state.circuitCount)],
          ]}
        />
      )}
      <a href="#/settings">{t.nav.settings}</a>
    </Section>
  );
}

function Networks(): ReactNode {
  const t = useMessages();
  const queries = useQueryClient();
  const list = useQuery({ queryKey: ["networks"], queryFn: () => call("listNetworks") });
  const use = async (id: string): Promise<void> => {
    await call("useNetwork", { network: id });
    await queries.invalidateQueries({ queryKey: ["networks"] });
  };
  return (
    <Section title={t.network.others}>
      <ul className="plain">
        {list.data?.networks.map(({ id, name, current }) => (
          <li key={id} className="row">
            <bdi>{showable(name)}</bdi>
            {current ? (
              <span className="badge badge-ok">{t.network.current}</span>
            ) : (
              <Button onPress={() => void use(id)}>{t.network.use}</Button>
            )}
          </li>
        ))}
      </ul>
      <Button onPress={() => ask({ kind: "open", text: "" })}>{t.network.join}</Button>
    </Section>
  );
}
