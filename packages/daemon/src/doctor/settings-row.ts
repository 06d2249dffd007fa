import type { Settings } from "../settings/settings.ts";
import { row, type DoctorRow } from "./rows.ts";

export function settingsRow(settings: Settings): DoctorRow {
  const problems = settings.problems();
  const changed = settings.entries().filter(({ origin }) => origin !== "default").length;
  const found = changed === 0 ? "all as they come" : `${changed} of them changed`;
  if (problems.length === 0) return row("settings", "ok", found);
  const texts = problems.map(({ line, text }) => (line === null ? text : `line ${line}: ${text}`));
  return row("settings", "warn", texts.join("; "), {
    fix: "correct it in the file that this names: backroom config path",
  });
}
