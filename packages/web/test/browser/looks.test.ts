import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { watchedPage, wcagViolations } from "../support/browser.ts";
import { drop } from "../support/drop.ts";
import { LINK, LOCKED_LINK, transferOf } from "../support/fake-application.ts";
import { openPage } from "../support/opened-page.ts";
import { servePage } from "../support/served-page.ts";

/** Pages by what their pictures are called. */
const ROOMS: Readonly<Record<string, string>> = {
  transfers: "transfers",
  transfer: "transfer/0000000000000002",
  "transfer-failed": "transfer/0000000000000004",
  network: "network",
  settings: "settings",
  doctor: "doctor",
  help: "help",
};
/** Where pictures of everything that is looked at are put, for the manual: `npm run docs:screenshots`. */
const SCREENSHOTS = process.env["BACKROOM_SCREENSHOTS"];
const TABS = ["Pieces", "Route", "About", "Notes"];

const TRANSFERS = [
  transferOf(1, {
    role: "share",
    state: "seeding",
    name: "Holiday in Norway",
    doneBytes: 1_400_000_000,
    uploadRate: 310_000,
    peerCount: 1,
  }),
  transferOf(2, { name: "Lecture recordings" }),
  transferOf(3, {
    state: "looking",
    name: "Band rehearsal",
    doneBytes: 0,
    waits: {
      code: "WAIT_SEEDER",
      why: "Nobody who has it is connected.",
      fix: "It starts by itself as soon as somebody is.",
    },
  }),
  transferOf(4, {
    state: "failed",
    name: "Archive 2025",
    failure: {
      code: "E_DISK_FULL",
      what: "the pack could not be stored",
      why: "the disk is full",
      fix: "make room",
    },
  }),
  transferOf(5, { state: "paused", role: "mirror", kind: "locked", name: "" }),
  transferOf(6, {
    state: "done",
    name: "Songs",
    doneBytes: 1_400_000_000,
    paths: ["/home/ada/Downloads/Songs"],
    finishedMs: Date.UTC(2026, 4, 3, 13),
  }),
];

const [NUMBER_2, NUMBER_6] = ["0000000000000002", "0000000000000006"];

interface Opened {
  /** Where in the source it is. */
  readonly file: string;
  /** The number of the transfer on whose page it is opened. */
  readonly on?: number;
  readonly open: (page: Page) => Promise<void>;
}

/** Every dialog, by the keys or buttons that open it, and as full as it gets. */
const SHEETS: Readonly<Record<string, Opened>> = {
  share: { file: "sheets/share-sheet.tsx", open: (page) => page.keyboard.press("s") },
  "share-files": {
    file: "sheets/share-sheet.tsx",
    open: async (page) => {
      await drop(page, [{ name: "beach.txt", type: "text/plain", bytes: Buffer.from("sand") }]);
      await page.getByText("1 file").waitFor();
    },
  },
  open: {
    file: "sheets/open-sheet.tsx",
    open: async (page) => {
      await page.keyboard.press("a");
      await page.getByLabel("Link", { exact: true }).fill(LINK);
      await page.getByText("To fetch").waitFor();
    },
  },
  "open-locked": {
    file: "sheets/open-sheet.tsx",
    open: async (page) => {
      await page.keyboard.press("a");
      await page.getByLabel("Link", { exact: true }).fill(LOCKED_LINK);
      await page.getByText("Join through").waitFor();
    },
  },
  "open-wrong": {
    file: "sheets/open-sheet.tsx",
    open: async (page) => {
      await page.keyboard.press("a");
      await page.getByLabel("Link", { exact: true }).fill("not a link");
      await page.getByRole("alert").waitFor();
    },
  },
  links: {
    file: "sheets/links-sheet.tsx",
    open: async (page) => {
      await page.getByRole("button", { name: "Link …" }).click();
      await page.getByText("The link as a QR code").click();
    },
  },
  remove: { file: "sheets/remove-sheet.tsx", open: (page) => page.keyboard.press("Delete") },
  relocate: {
    file: "sheets/relocate-sheet.tsx",
    on: 6,
    open: (page) => chooseFromMenu(page, "Move the files …"),
  },
  "open-pack": {
    file: "sheets/open-pack-sheet.tsx",
    on: 5,
    open: (page) => chooseFromMenu(page, "Open into files …"),
  },
  preview: {
    file: "parts/preview.tsx",
    open: async (page) => {
      await page.getByRole("button", { name: /^Preview: .*IMG_0001/ }).click();
      await page.locator("img.preview").waitFor();
    },
  },
};

async function chooseFromMenu(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: /^More/ }).click();
  await page.getByRole("menuitem", { name }).click();
}

/** Would catch: a dialog that was added, and that nobody looks at. */
test("no dialog of the source is left out", () => {
  const source = path.join(import.meta.dirname, "../../src");
  const made = /<(Sheet|ConfirmSheet|Modal|Dialog)\b/;
  const found = globSync("**/*.tsx", { cwd: source }).filter((file) =>
    made.test(readFileSync(path.join(source, file), "utf8")),
  );
  const parts = ["parts/basics.tsx", "sheets/confirm-sheet.tsx"];
  const looked = new Set([...parts, ...Object.values(SHEETS).map(({ file }) => file)]);
  assert.deepEqual(found.toSorted(), [...looked].toSorted());
});

for (const colorScheme of ["light", "dark"] as const) {
  test(
    `every page and sheet keeps to WCAG 2.2 AA, the policy and its own place: ${colorScheme}`,
    { timeout: 180_000 },
    async (t) => {
      const opened = await openPage(t, TRANSFERS, { colorScheme });
      if (opened === undefined) return;
      const { browser, page, complaints, served } = opened;
      served.application.choose(NUMBER_2, [
        { path: "Beach/Evening", priority: "skip" },
        { path: "Film.mp4", priority: "high" },
      ]);
      served.application.choose(NUMBER_6, [{ path: "Beach/Evening", priority: "skip" }]);
      await page.getByText("Lecture recordings").waitFor();
      const found: string[] = [];
      const look = async (where: string, at = page): Promise<void> => {
        found.push(...(await wcagViolations(at)).map((violation) => `${where}: ${violation}`));
        if (SCREENSHOTS === undefined) return;
        await at.screenshot({ path: path.join(SCREENSHOTS, `${where}-${colorScheme}.png`) });
      };

      for (const [name, room] of Object.entries(ROOMS)) {
        await visit(page, room);
        await look(name);
      }
      await visit(page, "transfer/0000000000000002");
      for (const tab of TABS) {
        await page.getByRole("tab", { name: tab }).click();
        await look(`tab-${tab.toLowerCase()}`);
      }
      await page.getByRole("button", { name: /^More/ }).click();
      await page.getByRole("menu").waitFor();
      await look("menu");
      await page.keyboard.press("Escape");
      for (const [name, { on = 2, open }] of Object.entries(SHEETS)) {
        await visit(page, `transfer/${String(on).padStart(16, "0")}`);
        await open(page);
        await page.getByRole("dialog").waitFor();
        await look(`sheet-${name}`);
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
      }
      const empty = await servePage(t, []);
      const first = await watchedPage(browser, [empty.origin], { colorScheme });
      await first.page.goto(empty.origin);
      await first.page.getByText("This page has no key yet").waitFor();
      await look("no-key", first.page);
      await first.page.goto(await empty.url());
      await first.page.getByText("Share files with a link").waitFor();
      await look("first-run", first.page);
      assert.deepEqual(found, []);
      assert.deepEqual([...(await complaints()), ...(await first.complaints())], []);

      // The control: what is wrong would be found, by both.
      await page.evaluate(() => {
        const picture = document.createElement("img");
        picture.src = "http://127.0.0.1:9/picture.png";
        document.querySelector("main")?.append(picture);
      });
      assert.match((await wcagViolations(page)).join(), /image-alt/);
      await page.waitForFunction(() => (window as unknown as { violations: string[] }).violations.length > 0);
      assert.match((await complaints()).join(), /policy: img-src/);
    },
  );
}

/** Would catch: a page that can be read only by scrolling sideways, on a small telephone or at 400 % zoom. */
test("nothing is wider than a screen of 320 pixels", { timeout: 120_000 }, async (t) => {
  const opened = await openPage(t, TRANSFERS, { viewport: { width: 320, height: 640 } });
  if (opened === undefined) return;
  const { page } = opened;
  await page.getByText("Lecture re").waitFor();
  for (const room of Object.values(ROOMS)) {
    await visit(page, room);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 320, `${room} is ${width} pixels wide`);
  }
});

async function visit(page: Page, room: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = `#/${to}`;
  }, room);
  await page.locator("h1").first().waitFor();
  await page.getByText("Loading …").waitFor({ state: "detached" });
}
