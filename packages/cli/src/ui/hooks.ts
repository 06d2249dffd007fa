import { createInterface } from "node:readline/promises";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { Hooks, Stage } from "@backroom/core/node/hooks.ts";
import { count, formatBytes, formatRate } from "./format.ts";
import type { Progress } from "./progress-report.ts";
import type { Terminal } from "./terminal.ts";

const LABELS: Record<Stage, string> = {
  sealing: "Sealing",
  downloading: "Downloading",
  opening: "Opening",
};

/** Shows what the node layer tells on a terminal. One bar at a time: a new stage ends the one before. */
export function terminalHooks(
  terminal: Terminal,
  acceptedFlags: ReadonlySet<string>,
): Hooks & { done(): void } {
  let bar: { stage: Stage; progress: Progress } | undefined;
  const done = (): void => {
    bar?.progress.end();
    bar = undefined;
  };
  return {
    progress(stage, value, total, note) {
      if (bar?.stage !== stage) {
        done();
        bar = { stage, progress: terminal.progress(LABELS[stage]) };
      }
      bar.progress.update(value, total, note);
      if (value >= total) done();
    },
    note: (text) => terminal.note(text),
    warn: (text) => terminal.warn(text),
    status: (text) => {
      if (bar === undefined) terminal.status(text);
    },
    event(name, data) {
      terminal.event(name, data);
      if (name === "seeding") terminal.status(seeding(data));
    },
    confirm(question, flag) {
      if (acceptedFlags.has(flag)) return Promise.resolve(true);
      done();
      return confirmed(terminal, question);
    },
    log: terminal.log,
    done,
  };
}

/** Whether the person consents to what the question explains; nobody there means no. */
export async function confirmed(terminal: Terminal, question: string): Promise<boolean> {
  if (!terminal.interactive) return false;
  terminal.end();
  terminal.ask(question);
  return yesTo("Go on?");
}

/** Whether the person answers yes. To be asked where somebody is there; raises as `answerTo`. */
export async function yesTo(question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await answerTo(`${question} [y/N] `)).trim());
}

/** Raises E_INTERRUPTED for Ctrl-C and Ctrl-D, which readline takes for itself. */
async function answerTo(question: string): Promise<string> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<never>((_, reject) => {
    prompt.once("close", () => {
      process.stderr.write("\n");
      reject(new BackroomError("E_INTERRUPTED", "the question was not answered", { fix: "run it again" }));
    });
  });
  const asked = prompt.question(question);
  // It rejects in its own way when the prompt is closed.
  asked.catch(() => {});
  try {
    return await Promise.race([asked, closed]);
  } finally {
    prompt.removeAllListeners("close").close();
    closed.catch(() => {});
  }
}

/** Gates say whether it can be found, the rest whether anybody fetches it. */
function seeding(data: Record<string, unknown>): string {
  const [gates, peers, uploaded, rate] = ["gates", "peers", "uploadedBytes", "rate"].map((key) =>
    Number(data[key]),
  ) as [number, number, number, number];
  const parts = [gates === 0 ? "not to be found yet: no gate" : count(gates, "gate"), count(peers, "peer")];
  if (uploaded > 0) parts.push(`${formatBytes(uploaded)} given`);
  if (rate > 0) parts.push(formatRate(rate));
  return `Handing it out: ${parts.join(", ")}`;
}
