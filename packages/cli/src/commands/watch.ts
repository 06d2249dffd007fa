import path from "node:path";
import type { Result } from "../contract.ts";
import type { AddCommand } from "../session.ts";
import { count, formatTime } from "../ui/format.ts";

export const addWatch: AddCommand = (program, run) => {
  const watch = program.command("watch").description("folders that share by themselves what lands in them");
  watch
    .command("add")
    .description(
      "share from now on what is put into a folder, each file or folder of it under a link of its own",
    )
    .argument("<folder>", "the folder")
    .option("--strong", "three relays on each side of the gate instead of two")
    .action((folder: string, options: { strong?: boolean }) => {
      run(async ({ terminal, daemon }) => {
        const client = await daemon.ensure(async () => {
          const { realFolder } = await import("@backroom/daemon/watches/real-folder.ts");
          await realFolder(folder);
        });
        const profile = options.strong === true ? "strong" : "standard";
        const added = await client.call("addWatch", { folder: path.resolve(folder), profile });
        terminal.note("Whatever is put there is shared. To see the links: backroom ls, backroom link ID");
        terminal.result(added.id, { ...added } satisfies Result<"watch add">);
      });
    });
  watch
    .command("list", { isDefault: true })
    .description("list them")
    .action(() => {
      run(async ({ terminal, daemon }) => {
        const { tableLines } = await import("../ui/table.ts");
        const { watches } = await (await daemon.need()).call("listWatches");
        if (watches.length === 0) terminal.note("None yet. To begin: backroom watch add FOLDER");
        const lines = tableLines(
          watches,
          [
            { title: "ID", align: "left", text: ({ id }) => id },
            { title: "SINCE", align: "left", text: ({ createdMs }) => formatTime(createdMs) },
            { title: "SHARED", align: "right", text: ({ sharedCount }) => String(sharedCount) },
            { title: "FOLDER", align: "left", text: ({ folder }) => folder },
          ],
          terminal,
        );
        terminal.result(watches.length === 0 ? "" : lines.join("\n"), {
          watches,
        } satisfies Result<"watch list">);
      });
    });
  watch
    .command("rm")
    .description("watch folders no longer; what they shared stays shared")
    .argument("<watch...>", "the folder, or its id as watch list prints it, or how that begins")
    .action((texts: string[]) => {
      run(async ({ terminal, daemon }) => {
        const { findEntry } = await import("../transfers/find-entry.ts");
        const client = await daemon.need();
        const { watches } = await client.call("listWatches");
        const found = texts.map((text) =>
          findEntry(watches, text, ({ folder }) => folder === path.resolve(text), "watched folder"),
        );
        const removed = [...new Set(found.map(({ id }) => id))];
        for (const id of removed) await client.call("removeWatch", { id });
        terminal.note(`${count(removed.length, "folder")} no longer watched.`);
        terminal.result(removed.join("\n"), { removed } satisfies Result<"watch rm">);
      });
    });
};
