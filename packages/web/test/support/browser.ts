import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { TestContext } from "node:test";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { havePartners } from "../../../core/test/support/partners.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** Debian's Chromium; undefined where it is missing, and then the test is skipped with the reason. */
export async function launchBrowser(t: TestContext): Promise<Browser | undefined> {
  if (!havePartners(t, "chromium")) return undefined;
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  t.after(() => browser.close());
  return browser;
}

/** A page that is watched: what its policy forbade, what it said in the console, and whom it asked besides those who may be. */
export interface WatchedPage {
  readonly page: Page;
  /** Everything that must not have happened; empty when all is well. */
  readonly complaints: () => Promise<string[]>;
}

export async function watchedPage(
  browser: Browser,
  origins: readonly string[],
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ reducedMotion: "reduce", locale: "en", ...options });
  const page = await context.newPage();
  const heard: string[] = [];
  page.on("pageerror", (error) => heard.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // An answer that is a refusal, or a daemon that is away on purpose.
    if (message.type() !== "error" || message.text().startsWith("Failed to load resource")) return;
    heard.push(`console: ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    heard.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "blob:" && !origins.includes(origin)) heard.push(`asked ${origin}`);
  });
  await page.addInitScript(() => {
    const violations: string[] = [];
    Object.assign(window, { violations });
    addEventListener("securitypolicyviolation", (event) => {
      violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
    });
  });
  return {
    page,
    async complaints() {
      const violations = await page.evaluate(
        () => (window as unknown as { violations: string[] }).violations,
      );
      return [...heard, ...violations.map((violation) => `policy: ${violation}`)];
    },
  };
}

/** What axe finds wrong by WCAG 2.2 AA: the rule, and where. */
export async function wcagViolations(page: Page): Promise<string[]> {
  // As the browser's own debugger does it: the page's policy would refuse a script element.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  return page.evaluate(async (tags) => {
    interface Found {
      readonly violations: readonly {
        readonly id: string;
        readonly nodes: readonly { readonly target: unknown; readonly failureSummary?: string }[];
      }[];
    }
    const { axe } = window as unknown as { axe: { run(options: object): Promise<Found> } };
    const { violations } = await axe.run({ runOnly: tags });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${String(target)} ${failureSummary ?? ""}`),
    );
  }, WCAG);
}
