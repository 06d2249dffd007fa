import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { Answer } from "@backroom/api/routes.ts";
import type { Scope } from "@backroom/api/schemas/daemon.ts";
import { SCOPES } from "@backroom/api/words.ts";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Button, Check, Field, Section, Trouble } from "./basics.tsx";
import { CopyBox } from "./copy-box.tsx";
import { KeptList } from "./kept-list.tsx";

type Token = Answer<"listTokens">["tokens"][number];

export function TokenSettings(): ReactNode {
  const t = useMessages();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(["read"]);
  const tokens = useQuery({ queryKey: ["tokens"], queryFn: () => call("listTokens") });
  const again = (): Promise<void> => queries.invalidateQueries({ queryKey: ["tokens"] });
  const add = useMutation({
    mutationFn: () => call("addToken", { name, scopes: [...scopes] }),
    onSuccess: again,
  });
  const revoke = useMutation({ mutationFn: (id: string) => call("removeToken", { id }), onSuccess: again });
  const programs = tokens.data?.tokens.filter(({ browser }) => browser === null) ?? [];
  const pages = tokens.data?.tokens.filter(({ browser }) => browser !== null) ?? [];
  const usedText = ({ usedMs }: Token): string =>
    t.settings.tokenUsed(usedMs === null ? t.never : t.time(usedMs));
  const noteOf = (token: Token): string =>
    `${token.scopes.map((scope) => t.settings.scopes[scope]).join(", ")} · ${usedText(token)}`;
  const pageName = ({ browser, createdMs }: Token): string =>
    `${browser === null || browser === "browser" ? t.settings.anyBrowser : browser}, ${t.day(createdMs)}`;
  return (
    <Section title={t.settings.tokens} text={t.settings.tokensText}>
      <KeptList
        items={programs.map((token) => ({ ...token, note: noteOf(token) }))}
        removal={t.settings.revoke}
        onRemove={(id) => revoke.mutate(id)}
      />
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <Field label={t.settings.tokenName} value={name} onChange={setName} />
        {SCOPES.map((scope) => (
          <Check
            key={scope}
            isSelected={scopes.includes(scope)}
            onChange={(on) => setScopes(on ? [...scopes, scope] : scopes.filter((one) => one !== scope))}
          >
            {t.settings.scopes[scope]}
          </Check>
        ))}
        <Button type="submit" isDisabled={name === "" || scopes.length === 0}>
          {t.settings.tokenAdd}
        </Button>
      </form>
      {add.data !== undefined && (
        <>
          <p>{t.settings.tokenSecret}</p>
          <CopyBox text={add.data.secret} label={t.settings.tokens} />
        </>
      )}
      <Trouble error={add.error} />
      {pages.length > 0 && (
        <>
          <h3>{t.settings.pages}</h3>
          <p className="muted">{t.settings.pagesText}</p>
          <KeptList
            items={pages.map((token) => ({ id: token.id, name: pageName(token), note: usedText(token) }))}
            removal={t.settings.pageEnd}
            onRemove={(id) => revoke.mutate(id)}
          />
        </>
      )}
    </Section>
  );
}
