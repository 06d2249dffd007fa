import { createContext, use } from "react";
import { live, useLive } from "../state/live.ts";
import { en, type Messages } from "./en.ts";

const KEY = "backroom-language";

/** Each language by its tag (BCP 47); loaded when it is wanted. */
export const LANGUAGES: Readonly<Record<string, { readonly name: string; load(): Promise<Messages> }>> = {
  en: { name: "English", load: () => Promise.resolve(en) },
  de: { name: "Deutsch", load: async () => (await import("./de.ts")).de },
};

const MessagesContext = createContext<Messages>(en);
const current = live<{ readonly tag: string; readonly messages: Messages }>({ tag: "en", messages: en });

export function useMessages(): Messages {
  return use(MessagesContext);
}

/** Outside of what is drawn. */
export function messagesNow(): Messages {
  return current.get().messages;
}

export function useLanguage(): string {
  return useLive(current).tag;
}

/** What was chosen here, or the first of the browser's languages that there is. */
export async function startLanguage(): Promise<void> {
  const wanted = [localStorage.getItem(KEY) ?? "", ...navigator.languages.map((tag) => tag.slice(0, 2))];
  await loadLanguage(wanted.find((tag) => tag in LANGUAGES) ?? "en");
}

export async function chooseLanguage(tag: string): Promise<void> {
  localStorage.setItem(KEY, tag);
  await loadLanguage(tag);
}

async function loadLanguage(tag: string): Promise<void> {
  const language = LANGUAGES[tag];
  if (language === undefined) return;
  current.set({ tag, messages: await language.load() });
  document.documentElement.lang = tag;
}

export function MessagesProvider({ children }: { readonly children: React.ReactNode }): React.ReactNode {
  return <MessagesContext value={useLive(current).messages}>{children}</MessagesContext>;
}
