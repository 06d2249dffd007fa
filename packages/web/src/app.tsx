import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, type ReactNode } from "react";
import { access } from "./api/daemon.ts";
import { useMessages } from "./messages/languages.tsx";
import { Bell } from "./parts/bell.tsx";
import { Incoming } from "./parts/incoming.tsx";
import { Navigation } from "./parts/navigation.tsx";
import { NoAccess } from "./pages/no-access.tsx";
import { TransfersPage } from "./pages/transfers.tsx";
import { follow } from "./state/connection.ts";
import { useKeys } from "./state/keys.ts";
import { useLive } from "./state/live.ts";
import { placeOf, useHash } from "./state/place.ts";
import { queries } from "./state/queries.ts";
import { noteTraffic } from "./state/traffic.ts";

// What is not seen first is loaded when it is.
const TransferPage = lazy(async () => ({ default: (await import("./pages/transfer.tsx")).TransferPage }));
const NetworkPage = lazy(async () => ({ default: (await import("./pages/network.tsx")).NetworkPage }));
const SettingsPage = lazy(async () => ({ default: (await import("./pages/settings.tsx")).SettingsPage }));
const DoctorPage = lazy(async () => ({ default: (await import("./pages/doctor.tsx")).DoctorPage }));
const HelpPage = lazy(async () => ({ default: (await import("./pages/help.tsx")).HelpPage }));

export function App(): ReactNode {
  return useLive(access) === "granted" ? (
    <QueryClientProvider client={queries}>
      <Rooms />
    </QueryClientProvider>
  ) : (
    <NoAccess />
  );
}

function Rooms(): ReactNode {
  const t = useMessages();
  const place = placeOf(useHash());
  useEffect(() => {
    const stop = new AbortController();
    void follow(stop.signal);
    const stopNoting = noteTraffic();
    return () => {
      stop.abort();
      stopNoting();
    };
  }, []);
  useKeys();
  return (
    <>
      <a className="skip" href="#main" onClick={skipToMain}>
        {t.skip}
      </a>
      <Navigation place={place} />
      <main id="main" tabIndex={-1}>
        <Bell />
        <Suspense fallback={<p className="muted">{t.loading}</p>}>
          {roomOf(place.name, place.argument)}
        </Suspense>
      </main>
      <Incoming place={place} />
    </>
  );
}

function roomOf(name: string, argument: string): ReactNode {
  if (name === "transfer") return <TransferPage key={argument} id={argument} />;
  if (name === "network") return <NetworkPage />;
  if (name === "settings") return <SettingsPage />;
  if (name === "doctor") return <DoctorPage />;
  if (name === "help") return <HelpPage />;
  return <TransfersPage />;
}

/** A link to a fragment would change the place. */
function skipToMain(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
