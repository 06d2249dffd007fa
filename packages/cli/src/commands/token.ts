import { writeFile } from "node:fs/promises";
import { SCOPES } from "@backroom/api/words.ts";
import { Option } from "commander";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { Result } from "../contract.ts";
import type { AddCommand, Session } from "../session.ts";
import { parseCount } from "../ui/arguments.ts";
import { formatTime } from "../ui/format.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

interface AddOptions {
  readonly scope: (typeof SCOPES)[number][];
  readonly days?: number;
  readonly output?: string;
}

export const addToken: AddCommand = (program, run) => {
  const token = program
    .command("token")
    .description("tokens, by which programs and pages may use this daemon's API");
  token
    .command("add")
    .description("make a token, and print its secret this once")
    .argument("<name>", "what it is for")
    .addOption(
      new Option(
        "--scope <scope...>",
        "what it may: read (look, links aside), links (see links), write (change transfers), admin (everything)",
      )
        .choices(SCOPES)
        .default(["read"], "read"),
    )
    .option("--days <number>", "how long it holds (default: until it is removed)", parseCount(1, 36_500))
    .option("-o, --output <file>", "write the secret into a new file instead, which you alone can read")
    .action((name: string, options: AddOptions) => run((session) => add(name, options, session)));
  token
    .command("list", { isDefault: true })
    .description("list them, without their secrets")
    .action(() =>
      run(async ({ terminal, daemon }) => {
        const { tableLines } = await import("../ui/table.ts");
        const { tokens } = await (await daemon.need()).call("listTokens");
        if (tokens.length === 0) terminal.note("None. To make one: backroom token add NAME");
        const when = (timeMs: number | null, never: string): string =>
          timeMs === null ? never : formatTime(timeMs);
        const lines = tableLines(
          tokens,
          [
            { title: "ID", align: "left", text: ({ id }) => id },
            { title: "SCOPES", align: "left", text: ({ scopes }) => scopes.join(",") },
            { title: "USED", align: "left", text: ({ usedMs }) => when(usedMs, "never") },
            { title: "HOLDS UNTIL", align: "left", text: ({ expiresMs }) => when(expiresMs, "removed") },
            { title: "NAME", align: "left", text: ({ name }) => name },
          ],
          terminal,
        );
        terminal.result(tokens.length === 0 ? "" : lines.join("\n"), {
          tokens,
        } satisfies Result<"token list">);
      }),
    );
  token
    .command("rm")
    .description("take tokens back: whoever has them is refused from now on")
    .argument("<token...>", "its id as token list prints it, how that begins, or its name")
    .action((texts: string[]) =>
      run(async ({ terminal, daemon }) => {
        const { findEntry } = await import("../transfers/find-entry.ts");
        const client = await daemon.need();
        const { tokens } = await client.call("listTokens");
        const found = texts.map((text) => findEntry(tokens, text, ({ name }) => name === text, "token"));
        const removed = [...new Set(found.map(({ id }) => id))];
        for (const id of removed) await client.call("removeToken", { id });
        terminal.result(removed.join("\n"), { removed } satisfies Result<"token rm">);
      }),
    );
};

async function add(name: string, { scope, days, output }: AddOptions, session: Session): Promise<void> {
  const { terminal, daemon } = session;
  const client = await daemon.need();
  const expires = days === undefined ? {} : { expiresMs: Date.now() + days * DAY_MS };
  const made = await client.call("addToken", { name, scopes: scope, ...expires });
  if (output !== undefined) {
    try {
      await writeFile(output, `${made.secret}\n`, { flag: "wx", mode: 0o600 });
    } catch (cause) {
      // A secret that nobody has seen is a door that nobody needs.
      await client.call("removeToken", { id: made.token.id });
      throw new BackroomError("E_FILE", "the file for the token could not be written", { cause });
    }
  } else terminal.note("This is shown once. Whoever has it may use this daemon:");
  terminal.result(output === undefined ? made.secret : "", { ...made } satisfies Result<"token add">);
}
