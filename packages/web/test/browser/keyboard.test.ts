import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { LINK, transferOf } from "../support/fake-application.ts";
import { openPage } from "../support/opened-page.ts";

/** Would catch: a control that only a mouse reaches, focus that is lost, a key that does not do what the help says. */
test(
  "sharing, opening, pausing and removing work with the keyboard alone",
  { timeout: 120_000 },
  async (t) => {
    const opened = await openPage(t, [
      transferOf(1, { name: "Lecture recordings" }),
      transferOf(2, { name: "Letters" }),
    ]);
    if (opened === undefined) return;
    const { page, complaints, served } = opened;
    const asked = (): string[] => served.application.calls.map(({ name }) => name);
    await page.getByText("Lecture recordings").waitFor();

    await page.keyboard.press("s");
    await page.getByRole("dialog").waitFor();
    await tabTo(page, "Or name paths on this computer, one a line");
    await page.keyboard.type("/home/ada/Plans");
    await tabTo(page, "Start");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Plans" }).waitFor();
    assert.ok(asked().includes("addShare"));

    await page.keyboard.press("a");
    await page.getByRole("dialog").waitFor();
    // The field has the focus already.
    await page.keyboard.type(LINK);
    await page.getByText("To fetch").waitFor();
    await tabTo(page, "Start");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Holiday" }).waitFor();
    assert.ok(asked().includes("addGet"));

    await page.keyboard.press("/");
    await page.waitForFunction(() => document.activeElement?.getAttribute("type") === "search");
    await page.keyboard.type("letters");
    await page.getByText("Lecture recordings").waitFor({ state: "detached" });
    await page.getByRole("row").nth(1).focus();
    await page.keyboard.press(" ");
    await page.getByText("Paused").waitFor();
    await page.keyboard.press("Delete");
    await page.getByRole("dialog").waitFor();
    await tabTo(page, "Remove");
    await page.keyboard.press("Enter");
    await page.getByText("No transfer fits.").waitFor();
    assert.equal(served.application.transfers.has("0000000000000002"), false);

    await page.locator("body").press("?");
    await page.getByRole("heading", { level: 1, name: "Help" }).waitFor();
    assert.deepEqual(await complaints(), []);
  },
);

test("rows are walked with the arrow keys, and Enter opens one", { timeout: 60_000 }, async (t) => {
  const opened = await openPage(
    t,
    Array.from({ length: 60 }, (_, at) => transferOf(at + 1)),
  );
  if (opened === undefined) return;
  const { page } = opened;
  await page.getByRole("row").nth(1).focus();
  for (const key of ["ArrowDown", "End", "ArrowUp"]) {
    await page.keyboard.press(key);
    await page.waitForTimeout(200);
  }
  await page.keyboard.press("Enter");
  // The newest stands first, so the one before the last is the second that was made.
  await page.getByRole("heading", { level: 1, name: "share 2", exact: true }).waitFor();
});

/** Presses Tab until the focus is on what has that name. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement & { labels?: NodeListOf<HTMLElement> };
      return element.labels?.[0]?.innerText ?? element.getAttribute("aria-label") ?? element.innerText;
    });
    if (focused === name) return;
  }
  throw new Error(`the focus never came to “${name}”`);
}
