import type { ReactNode } from "react";
import { useMessages } from "../messages/languages.tsx";
import { Section } from "../parts/basics.tsx";

export function HelpPage(): ReactNode {
  const t = useMessages();
  return (
    <div className="help">
      <h1>{t.help.title}</h1>
      <Section title={t.help.hides}>
        <ul>
          {t.help.hidesList.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      </Section>
      <Section title={t.help.notHidden}>
        <ul>
          {t.help.notHiddenList.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      </Section>
      <Section title={t.help.keys}>
        <dl className="facts">
          {t.help.keyList.map(([key, text]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      </Section>
      <Section title={t.help.words} text={t.help.more}>
        <dl className="facts">
          {t.help.wordList.map(([word, text]) => (
            <div key={word}>
              <dt>{word}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      </Section>
    </div>
  );
}
