import type { Answer } from "@backroom/api/routes.ts";
import type { Result } from "../contract.ts";
import type { AddCommand } from "../session.ts";
import { parseRates, rateOrNone } from "../ui/rates.ts";

export const addLimit: AddCommand = (program, run) => {
  program
    .command("limit")
    .description("limits of speed; without words, which they are. What is relayed for others counts apart")
    .argument("[change...]", "down, up or relay, each with a rate such as 500k or 2M (bytes a second) or off")
    .action((words: string[]) => {
      run(async ({ terminal, daemon }) => {
        const { down, up, relay } = parseRates(words);
        const client = await daemon.need();
        const always = {
          ...(down === undefined ? {} : { downloadRate: down }),
          ...(up === undefined ? {} : { uploadRate: up }),
          ...(relay === undefined ? {} : { relayRate: relay }),
        };
        const status =
          words.length === 0 ? await client.call("limits") : await client.call("setLimits", { always });
        terminal.result(limitText(status), { ...status } satisfies Result<"limit">);
      });
    });
};

type Limits = Answer<"limits">;

function limitText({ always, now, schedule }: Limits): string {
  const rows = [
    ["down", "downloadRate"],
    ["up", "uploadRate"],
    ["relay", "relayRate"],
  ] as const;
  return rows
    .map(([name, key]) => {
      const at = now[key] === always[key] ? "" : `  (now ${rateOrNone(now[key])}, by the schedule)`;
      return `${name.padEnd(5)}  ${rateOrNone(always[key])}${at}`;
    })
    .concat(schedule.length === 0 ? [] : [`Another ${schedule.length} by the hour: backroom schedule`])
    .join("\n");
}
