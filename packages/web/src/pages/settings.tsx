import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Radio, RadioGroup } from "react-aria-components";
import type { Answer } from "@backroom/api/routes.ts";
import { call } from "../api/daemon.ts";
import { chooseLanguage, LANGUAGES, useLanguage, useMessages } from "../messages/languages.tsx";
import { Button, Check, Field, Section, Trouble } from "../parts/basics.tsx";
import { inFull, wordsOf } from "../parts/daemon-words.tsx";
import { LimitSettings } from "../parts/limit-settings.tsx";
import { TokenSettings } from "../parts/token-settings.tsx";
import { WatchSettings } from "../parts/watch-settings.tsx";
import { relay } from "../state/connection.ts";
import { useLive } from "../state/live.ts";
import { chooseTheme, theme, type Theme } from "../state/theme.ts";

const THEMES: readonly Theme[] = ["auto", "light", "dark"];

export function SettingsPage(): ReactNode {
  const t = useMessages();
  return (
    <div className="settings">
      <h1>{t.settings.title}</h1>
      <LimitSettings />
      <div className="cards">
        <RelaySettings />
        <Looks />
      </div>
      <WatchSettings />
      <TokenSettings />
      <AllSettings />
      <Section title={t.settings.handler} text={t.settings.handlerText}>
        <Button
          onPress={() =>
            navigator.registerProtocolHandler("web+backroom", `${location.origin}/#/open?link=%s`)
          }
        >
          {t.settings.handlerAsk}
        </Button>
      </Section>
      <Section title={t.settings.stopDaemon} text={t.settings.stopText}>
        <Button kind="danger" onPress={() => void call("stop")}>
          {t.settings.stopDaemon}
        </Button>
      </Section>
    </div>
  );
}

function RelaySettings(): ReactNode {
  const t = useMessages();
  const now = useLive(relay);
  const change = useMutation({
    mutationFn: (wanted: { mode: "auto" | "on" | "off"; gate: boolean }) => call("setRelay", wanted),
    onSuccess: (answer) => relay.set(answer),
  });
  if (now === null) return null;
  return (
    <Section title={t.settings.relay} text={t.welcome.relayText}>
      <RadioGroup
        className="radios"
        aria-label={t.settings.relay}
        value={now.mode}
        onChange={(mode) => change.mutate({ mode: mode as "auto" | "on" | "off", gate: now.gate })}
      >
        {(["auto", "on", "off"] as const).map((mode) => (
          <Radio key={mode} value={mode} className="radio">
            <span className="radio-dot" aria-hidden="true" />
            {t.settings.relayMode[mode]}
          </Radio>
        ))}
      </RadioGroup>
      <Check isSelected={now.gate} onChange={(gate) => change.mutate({ mode: now.mode ?? "off", gate })}>
        {t.settings.gate} <span className="muted">{t.settings.gateHint}</span>
      </Check>
      <Trouble error={change.error} />
    </Section>
  );
}

function Looks(): ReactNode {
  const t = useMessages();
  const wanted = useLive(theme);
  const tag = useLanguage();
  return (
    <>
      <Section title={t.settings.theme}>
        <RadioGroup
          className="radios"
          aria-label={t.settings.theme}
          value={wanted}
          onChange={(value) => chooseTheme(value as Theme)}
        >
          {THEMES.map((name) => (
            <Radio key={name} value={name} className="radio">
              <span className="radio-dot" aria-hidden="true" />
              {t.settings.themes[name]}
            </Radio>
          ))}
        </RadioGroup>
      </Section>
      <Section title={t.settings.language}>
        <RadioGroup
          className="radios"
          aria-label={t.settings.language}
          value={tag}
          onChange={(value) => void chooseLanguage(value)}
        >
          {Object.entries(LANGUAGES).map(([one, { name }]) => (
            <Radio key={one} value={one} className="radio">
              <span className="radio-dot" aria-hidden="true" />
              <span lang={one}>{name}</span>
            </Radio>
          ))}
        </RadioGroup>
      </Section>
    </>
  );
}

function AllSettings(): ReactNode {
  const t = useMessages();
  const settings = useQuery({ queryKey: ["settings"], queryFn: () => call("listSettings") });
  return (
    <Section title={t.settings.all}>
      {settings.data?.problems.map(({ text }) => (
        <p key={text} className="warning">
          {text}
        </p>
      ))}
      {settings.data?.settings.map((entry) => (
        // Anew when it was changed elsewhere, too.
        <Setting key={`${entry.key} ${entry.value}`} entry={entry} />
      ))}
    </Section>
  );
}

type Entry = Answer<"listSettings">["settings"][number];

function Setting({ entry }: { readonly entry: Entry }): ReactNode {
  const t = useMessages();
  const queries = useQueryClient();
  const [text, setText] = useState(String(entry.value ?? ""));
  const change = useMutation({
    mutationFn: (value: Entry["value"]) => call("setSetting", { key: entry.key, value }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["settings"] }),
  });
  const hint = `${t.settings.described[entry.key] ?? entry.description} (${t.settings.origin[entry.origin]})`;
  return (
    <form
      className="setting"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate(valueOf(text, entry));
      }}
    >
      {typeof entry.value === "boolean" ? (
        <Check isSelected={entry.value} onChange={(value) => change.mutate(value)}>
          <code>{entry.key}</code> <span className="muted">{hint}</span>
        </Check>
      ) : (
        <>
          <Field
            label={entry.key}
            hint={hint}
            value={text}
            onChange={setText}
            error={change.error === null ? undefined : inFull(wordsOf(change.error), t)}
          />
          {text !== String(entry.value ?? "") && (
            <Button type="submit" kind="primary">
              {t.save}
            </Button>
          )}
          {entry.origin === "file" && <Button onPress={() => change.mutate(null)}>{t.settings.reset}</Button>}
        </>
      )}
    </form>
  );
}

/** What was typed, as the kind of value that the setting has now; the daemon says whether it fits. */
function valueOf(text: string, { value }: Entry): Entry["value"] {
  if (text === "") return null;
  return typeof value === "number" && Number.isFinite(Number(text)) ? Number(text) : text;
}
