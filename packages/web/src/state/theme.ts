import { live } from "./live.ts";

const KEY = "backroom-theme";
export type Theme = "auto" | "light" | "dark";

export const theme = live<Theme>("auto");

export function startTheme(): void {
  const kept = localStorage.getItem(KEY);
  apply(kept === "light" || kept === "dark" ? kept : "auto");
}

export function chooseTheme(wanted: Theme): void {
  localStorage.setItem(KEY, wanted);
  apply(wanted);
}

function apply(wanted: Theme): void {
  document.documentElement.dataset["theme"] = wanted;
  theme.set(wanted);
}
