import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { FileEntry } from "../../src/state/file-tree.ts";
import { wcagViolations } from "../support/browser.ts";
import { LINK, transferOf } from "../support/fake-application.ts";
import { openPage } from "../support/opened-page.ts";
import type { ServedPage } from "../support/served-page.ts";

const ID = "0000000000000001";

function chosenLast({ application }: ServedPage): unknown {
  return application.calls.findLast(({ name }) => name === "chooseFiles")?.input;
}

/** Would catch: a choice that only a mouse makes, that is seen and not made, or made and not seen. */
test(
  "files and folders are chosen with the keyboard, seen at once, and taken back where the daemon refuses",
  { timeout: 120_000 },
  async (t) => {
    const opened = await openPage(t, [transferOf(1, { name: "Lecture recordings" })]);
    if (opened === undefined) return;
    const { page, complaints, served } = opened;
    const { application } = served;
    await page.goto(`${served.origin}/#/transfer/${ID}`);
    const row = (name: string) => page.getByRole("row", { name, exact: true });
    const tick = (name: string) => page.getByRole("checkbox", { name: `Fetch ${name}`, exact: true });
    await row("Beach").focus();

    // Space leaves a folder out, and pauses nothing.
    await page.keyboard.press(" ");
    await page.getByText("2 of 6 files, 1.5 GB of 1.5 GB chosen").waitFor();
    assert.equal(await tick("IMG_0001.jpg").isChecked(), false);
    assert.deepEqual(chosenLast(served), { id: ID, choices: [{ path: "Beach", priority: "skip" }] });
    assert.ok(!application.calls.some(({ name }) => name === "pause"));

    // Into the folder, and one of its files after all, by its own box.
    for (const key of ["ArrowDown", "ArrowLeft", "ArrowRight", "ArrowRight"]) await page.keyboard.press(key);
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "IMG_0101.jpg");
    await page.keyboard.press("Tab");
    await page.keyboard.press(" ");
    await page.getByText("3 of 6 files").first().waitFor();
    assert.equal(await tick("IMG_0101.jpg").isChecked(), true);
    const isMixed = await tick("Beach").evaluate((box) => (box as HTMLInputElement).indeterminate);
    assert.equal(isMixed, true);
    await page.keyboard.press("Tab");
    await page.keyboard.press("h");
    await page.waitForFunction(
      () =>
        document.querySelector<HTMLSelectElement>('select[aria-label="Priority: IMG_0101.jpg"]')?.value ===
        "high",
    );
    assert.deepEqual(
      application.files.get(ID)?.map(({ priority }) => priority),
      ["high", "skip", "skip", "skip", "normal", "normal"],
    );
    // Said of the transfer, too, wherever it is seen.
    await page.getByText("From others · 3 of 6 files").waitFor();
    assert.deepEqual(await wcagViolations(page), []);

    application.refuse(
      "chooseFiles",
      new BackroomError("E_SELECTION", "more files are chosen one by one than are kept"),
    );
    await page.getByRole("button", { name: "Choose all" }).click();
    await page.getByRole("alert").getByText("more files are chosen").waitFor();
    await page.getByText("3 of 6 files, ").waitFor();
    application.refuse("chooseFiles", undefined);
    await page.getByRole("button", { name: "Choose all" }).click();
    await page.getByText("6 files, 1.5 GB", { exact: true }).waitFor();
    await page.getByRole("alert").waitFor({ state: "detached" });
    assert.deepEqual(await complaints(), []);
  },
);

test("the link's sheet fetches no file where they are to be chosen first", { timeout: 60_000 }, async (t) => {
  const opened = await openPage(t, []);
  if (opened === undefined) return;
  const { page, complaints } = opened;
  await page.getByText("Share files with a link").waitFor();
  await page.keyboard.press("a");
  await page.getByLabel("Link", { exact: true }).fill(LINK);
  await page.getByText("Let me choose the files first").click();
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByText("Tick the files that you want.").waitFor();
  await page.getByText("0 of 6 files, 0 B of 1.5 GB chosen").waitFor();
  await page.getByRole("checkbox", { name: "Fetch Film.mp4" }).click();
  await page.getByText("Tick the files that you want.").waitFor({ state: "detached" });
  assert.deepEqual(await complaints(), []);
});

/** Would catch: a list that puts all of it into the document, or that nobody finds anything in. */
test(
  "thirty thousand files are searched, and what is found is chosen at once",
  { timeout: 60_000 },
  async (t) => {
    const opened = await openPage(t, [transferOf(1)]);
    if (opened === undefined) return;
    const { page, served } = opened;
    const files = Array.from({ length: 30_000 }, (_, n): FileEntry => ({
      path: `Set ${n % 30}/Track ${n}.${n % 1000 === 7 ? "mp3" : "flac"}`,
      size: 1000,
      mtimeMs: null,
      doneBytes: 0,
      priority: "skip",
    }));
    served.application.files.set(ID, files);
    served.application.change(ID, { fileCount: 30_000, skippedCount: 30_000 });
    await page.goto(`${served.origin}/#/transfer/${ID}`);
    await page.getByText("0 of 30,000 files").first().waitFor();
    assert.equal(await page.getByRole("treegrid").getAttribute("aria-rowcount"), "30");
    await page.getByRole("searchbox", { name: "Search files" }).fill(".MP3");
    await page.getByRole("button", { name: "Choose these" }).click();
    await page.getByText("30 of 30,000 files, 30.0 kB of 30.0 MB chosen").waitFor();
    assert.ok((await page.getByRole("row").count()) <= 30);
    await page.getByRole("searchbox").fill("no such file");
    await page.getByText("No file has that in its name.").waitFor();
    await page.getByRole("searchbox").fill("");
    await page.getByRole("row", { name: "Set 0", exact: true }).click();
    await page.keyboard.press("End");
    await page.getByRole("row", { name: "Set 29", exact: true }).waitFor();
    assert.ok((await page.getByRole("row").count()) < 60);
  },
);
