import assert from "node:assert/strict";
import { test } from "node:test";
import { launchBrowser, watchedPage } from "../support/browser.ts";
import { transferOf } from "../support/fake-application.ts";
import { openPage } from "../support/opened-page.ts";
import { servePage } from "../support/served-page.ts";

/** Would catch: a page that shows what was, or stays broken after the daemon came back. */
test(
  "what changes is seen at once, and a daemon that went away is noticed and found again",
  { timeout: 120_000 },
  async (t) => {
    const opened = await openPage(t, [transferOf(1, { name: "Lecture recordings" })]);
    if (opened === undefined) return;
    const { page, complaints, served } = opened;
    await page.getByText("Downloading").waitFor();

    served.application.change("0000000000000001", { state: "seeding", downloadRate: 0, secondsLeft: null });
    await page.getByText("Handed out").waitFor();

    await page.goto(`${served.origin}/#/transfer/0000000000000001`);
    await page.getByRole("tab", { name: "Notes" }).click();
    const notes = page.getByRole("list", { name: "Notes" }).getByRole("listitem");
    await notes.first().getByText("Resumed.").waitFor();
    assert.equal(await notes.count(), 5);
    served.application.note("0000000000000001", "opened");
    await notes.first().getByText("The files are where they belong.").waitFor();
    assert.equal(await notes.count(), 6);
    await page.goto(`${served.origin}/#/transfers`);

    await served.stop();
    await page.getByText("What you see may be old").waitFor();
    served.application.change("0000000000000001", { name: "Renamed meanwhile" });
    served.application.note("0000000000000001", "said", "Something was said meanwhile.");
    await served.start();
    await page.getByText("Renamed meanwhile").waitFor();
    await page.getByText("What you see may be old").waitFor({ state: "detached" });
    await page.goto(`${served.origin}/#/transfer/0000000000000001`);
    await page.getByRole("tab", { name: "Notes" }).click();
    await page.getByText("Something was said meanwhile.").waitFor();
    assert.deepEqual(await complaints(), []);
  },
);

test(
  "the address opens the page once; the key stays in that tab, and a revoked one is noticed",
  { timeout: 120_000 },
  async (t) => {
    const browser = await launchBrowser(t);
    if (browser === undefined) return;
    const served = await servePage(t, [transferOf(1, { name: "Lecture recordings" })]);
    const { page } = await watchedPage(browser, [served.origin]);
    const url = await served.url();
    await page.goto(url);
    await page.getByText("Lecture recordings").waitFor();
    assert.equal(new URL(page.url()).hash, "#/", "the code is in the history");
    await page.reload();
    await page.getByText("Lecture recordings").waitFor();

    const other = await watchedPage(browser, [served.origin]);
    await other.page.goto(url);
    await other.page.getByText("This page has no key yet").waitFor();
    await other.page.goto(served.origin);
    await other.page.getByText("This page has no key yet").waitFor();

    served.revokeAll();
    await page.reload();
    await page.getByText("This page has no key yet").waitFor();
  },
);

test(
  "a link that is pasted, dropped or followed opens the sheet, and stays in no history",
  { timeout: 60_000 },
  async (t) => {
    const opened = await openPage(t, []);
    if (opened === undefined) return;
    const { page } = opened;
    await page.getByText("Share files with a link").waitFor();
    await page.evaluate(() => {
      location.hash = "#/open?link=web%2Bbackroom%3Aabcdefgh";
    });
    await page.getByRole("dialog").waitFor();
    assert.equal(await page.getByLabel("Link", { exact: true }).inputValue(), "backroom:abcdefgh");
    assert.doesNotMatch(page.url(), /abcdefgh/);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.setData("text/plain", "  backroom:hgfedcba ");
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
    });
    assert.equal(await page.getByLabel("Link", { exact: true }).inputValue(), "backroom:hgfedcba");
  },
);

test("in German all is German, and stays so", { timeout: 60_000 }, async (t) => {
  const waits = { code: "WAIT_SEEDER" as const, why: "nobody who has it was found yet", fix: "ask them" };
  const failure = {
    code: "E_DISK_FULL",
    what: "the pack “Film” could not be stored",
    why: "full",
    fix: "room",
  };
  const transfers = [
    transferOf(1),
    transferOf(2, { state: "looking", waits }),
    transferOf(3, { state: "failed", failure }),
    transferOf(4, { state: "failed", failure: { ...failure, code: "E_NEWER", what: "of a newer daemon" } }),
  ];
  const opened = await openPage(t, transfers, { locale: "de-AT" });
  if (opened === undefined) return;
  const { page, served } = opened;
  await page.getByRole("heading", { name: "Übertragungen" }).waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  for (const text of [
    "Niemand, der es hat, wurde bisher gefunden",
    "Die Platte ist voll",
    "of a newer daemon",
  ])
    await page.getByText(text, { exact: true }).first().waitFor();
  await page.goto(`${served.origin}/#/transfer/${transfers[2]?.id}`);
  const trouble = page.getByRole("alert");
  await trouble.getByText("Die Platte ist voll", { exact: true }).waitFor();
  const exactly = trouble.locator("[lang=en]");
  assert.equal(await exactly.textContent(), "the pack “Film” could not be stored: full");
  await page.goto(`${served.origin}/#/settings`);
  await page.getByRole("radio", { name: "English" }).check({ force: true });
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  await page.goto(`${served.origin}/#/transfer/${transfers[2]?.id}`);
  await trouble.getByText("the pack “Film” could not be stored", { exact: true }).waitFor();
  await page.goto(`${served.origin}/#/settings`);
  await page.reload();
  await page.getByRole("heading", { name: "Settings" }).waitFor();
});
