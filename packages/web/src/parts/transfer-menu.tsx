import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import type { ReactNode } from "react";
import { Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { ask } from "../state/asking.ts";
import { attempt } from "../state/transfer-work.ts";
import { Button } from "./basics.tsx";

export function TransferMenu({
  transfer,
  name,
}: {
  readonly transfer: Transfer;
  readonly name: string;
}): ReactNode {
  const t = useMessages();
  const { id } = transfer;
  return (
    <MenuTrigger>
      <Button aria-label={`${t.action.more}: ${name}`}>⋯</Button>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label={t.action.more}>
          {transfer.kind !== null && (
            <MenuItem onAction={() => ask({ kind: "links", id })}>{t.action.link}</MenuItem>
          )}
          {transfer.role !== "share" && (
            <MenuItem onAction={() => ask({ kind: "open-pack", id })}>{t.action.open}</MenuItem>
          )}
          {transfer.paths.length > 0 && (
            <MenuItem onAction={() => ask({ kind: "relocate", id })}>{t.action.relocate}</MenuItem>
          )}
          {transfer.kind !== null && (
            <MenuItem onAction={() => attempt(call("recheck", { id }), id)}>{t.action.recheck}</MenuItem>
          )}
          <MenuItem className="menu-danger" onAction={() => ask({ kind: "remove", id })}>
            {t.action.remove}
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
