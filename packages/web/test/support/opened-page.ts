import type { TestContext } from "node:test";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { launchBrowser, watchedPage, type WatchedPage } from "./browser.ts";
import { servePage, type ServedPage } from "./served-page.ts";

/** The page in a browser of its own, opened and let in, in front of an application of known content. */
export interface OpenedPage extends WatchedPage {
  readonly browser: Browser;
  readonly served: ServedPage;
}

/** Undefined where there is no browser, and then the test is skipped with the reason. Requests to the content's port are no complaint. */
export async function openPage(
  t: TestContext,
  transfers: readonly Transfer[],
  options: BrowserContextOptions = {},
): Promise<OpenedPage | undefined> {
  const browser = await launchBrowser(t);
  if (browser === undefined) return undefined;
  const served = await servePage(t, transfers);
  const watched = await watchedPage(browser, [served.origin, served.contentOrigin], options);
  await watched.page.goto(await served.url());
  return { browser, served, ...watched };
}
