import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Button, Sheet, Trouble } from "../parts/basics.tsx";
import { CopyBox } from "../parts/copy-box.tsx";
import { InviteBox } from "../parts/invite-box.tsx";
import { QrCode } from "../parts/qr.tsx";
import { asked } from "../state/asking.ts";

/** The links of a share and who can do what with each. They are asked for when the sheet opens and forgotten when it closes. */
export function LinksSheet({
  id,
  onClose,
}: {
  readonly id: string;
  readonly onClose: () => void;
}): ReactNode {
  const t = useMessages();
  const links = useQuery({ queryKey: ["links", id], queryFn: () => call("links", { id }), gcTime: 0 });
  const data = links.data;
  return (
    <Sheet title={t.links.title} onClose={onClose}>
      <div className="sheet-body">
        <Trouble error={links.error} />
        {data !== undefined && (
          <>
            <p>{data.kind === "read" ? t.links.read : t.links.locked}</p>
            <CopyBox text={data.link} label={t.links.title} />
            <details>
              <summary>{t.links.qr}</summary>
              <QrCode text={data.link.toUpperCase()} label={t.links.qr} />
            </details>
            {data.lockedLink !== data.link && (
              <details>
                <summary>{t.links.lockedTitle}</summary>
                <p>{t.links.lockedText}</p>
                <CopyBox text={data.lockedLink} label={t.links.lockedTitle} />
              </details>
            )}
          </>
        )}
        <details>
          <summary>{t.links.inviteTitle}</summary>
          <p>{t.links.inviteText}</p>
          <InviteBox label={t.links.inviteTitle} />
        </details>
        <details>
          <summary>{t.links.stop}</summary>
          <p>{t.links.stopText}</p>
          <Button kind="danger" onPress={() => asked.set({ kind: "remove", id })}>
            {t.links.stop}
          </Button>
        </details>
      </div>
    </Sheet>
  );
}
