import { useState, type ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Button, Trouble } from "./basics.tsx";
import { CopyBox } from "./copy-box.tsx";

/** An invite, made when it is asked for. */
export function InviteBox({ label }: { readonly label: string }): ReactNode {
  const t = useMessages();
  const [invite, setInvite] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const make = (): void => {
    call("makeInvite").then(
      (made) => setInvite(made.invite),
      (problem: unknown) => setError(problem),
    );
  };
  return (
    <>
      {invite === null ? (
        <Button onPress={make}>{t.links.show}</Button>
      ) : (
        <CopyBox text={invite} label={label} />
      )}
      <Trouble error={error} />
    </>
  );
}
