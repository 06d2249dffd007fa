import type { Answer } from "@backroom/api/routes.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { Result } from "../contract.ts";
import type { AddCommand, Session } from "../session.ts";
import { parseCount } from "../ui/arguments.ts";
import { parseRates, rateOrNone } from "../ui/rates.ts";
import { formatDays, parseDays, parseHours } from "../ui/week.ts";

export const addSchedule: AddCommand = (program, run) => {
  const schedule = program
    .command("schedule")
    .description("limits of speed by the hour of the week; where several rules fit, the first counts");
  schedule
    .command("list", { isDefault: true })
    .description("list the rules, with numbers")
    .action(() => run(async ({ terminal, daemon }) => show(await read(daemon), terminal)));
  schedule
    .command("add")
    .description("add a rule at the end")
    .argument("<days>", "mon-fri, or sat,sun, or daily")
    .argument("<hours>", "from and up to, in this computer's time: 9-17, or 22-6 past midnight")
    .argument(
      "<change...>",
      "down, up or relay, each with a rate or off; what is not named stays as at other times",
    )
    .action((days: string, hours: string, words: string[]) =>
      run(async ({ terminal, daemon }) => {
        const { down, up, relay } = parseRates(words);
        const limits = { downloadRate: down, uploadRate: up, relayRate: relay };
        const rule = { days: parseDays(days), ...parseHours(hours), limits };
        const client = await daemon.need();
        const before = await client.call("limits");
        show(await client.call("setLimits", { schedule: [...before.schedule, rule] }), terminal);
      }),
    );
  schedule
    .command("rm")
    .description("take a rule out")
    .argument("<number>", "its number, as schedule list prints it", parseCount(1, 100))
    .action((number: number) =>
      run(async ({ terminal, daemon }) => {
        const client = await daemon.need();
        const before = await client.call("limits");
        if (number > before.schedule.length) {
          throw new BackroomError("E_USAGE", `there is no rule ${number}`, {
            fix: "see them with: backroom schedule list",
          });
        }
        const rest = before.schedule.toSpliced(number - 1, 1);
        show(await client.call("setLimits", { schedule: rest }), terminal);
      }),
    );
};

type Status = Answer<"limits">;

async function read(daemon: Session["daemon"]): Promise<Status> {
  return (await daemon.need()).call("limits");
}

function show(status: Status, terminal: Session["terminal"]): void {
  if (status.schedule.length === 0) {
    terminal.note("No rules: the limits of backroom limit hold at all times.");
  }
  terminal.result(status.schedule.map(ruleText).join("\n"), { ...status } satisfies Result<"schedule list">);
}

function ruleText({ days, fromHour, toHour, limits }: Status["schedule"][number], index: number): string {
  const { downloadRate, uploadRate, relayRate } = limits;
  const rates = [
    ["down", downloadRate],
    ["up", uploadRate],
    ["relay", relayRate],
  ] as const;
  const said = rates
    .flatMap(([name, rate]) => (rate === undefined ? [] : [`${name} ${rateOrNone(rate)}`]))
    .join(", ");
  return `${index + 1}  ${formatDays(days)} ${fromHour}-${toHour}: ${said}`;
}
