import { chromium, type Page } from "playwright-core";
import type { Row } from "../../../scripts/bench/row.ts";
import { transferOf } from "../test/support/fake-application.ts";
import { servePage } from "../test/support/served-page.ts";

const TRANSFERS = 10_000;
const SECONDS = 30;
/** Four times a second, as often as the daemon tells, this many change. */
const CHANGES_MS = 250;
const CHANGED = 200;
const MIB = 1024 * 1024;
/** Stands at the top of the list. */
const newest = String(TRANSFERS).padStart(16, "0");

/** What the browser saw in a stretch of time. */
interface Seen {
  readonly frames: readonly number[];
  readonly tasks: readonly number[];
}

/**
 * The page with 10,000 transfers of which 200 change four times a second, in Debian's Chromium without a screen, beside the same page at rest. Frames
 * are the times between two pictures; a task is what keeps the page from answering, told from 50 ms on.
 */
async function benchPage(): Promise<Row[]> {
  const closing: (() => Promise<void>)[] = [];
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--enable-precise-memory-info"],
  });
  try {
    const { application, url } = await servePage(
      { after: (close) => closing.push(close) },
      Array.from({ length: TRANSFERS }, (_, at) => transferOf(at + 1)),
    );
    const page = await browser.newPage();
    const started = performance.now();
    await page.goto(await url());
    await page.getByRole("row").nth(5).waitFor();
    const shownMs = performance.now() - started;
    const atRest = await watch(page, 5);
    let round = 0;
    const timer = setInterval(() => {
      round++;
      application.changeMany(
        Array.from({ length: CHANGED }, (_, at) => [
          String(((round * CHANGED + at) % TRANSFERS) + 1).padStart(16, "0"),
          { doneBytes: (round * 7_000_000) % 1_400_000_000, downloadRate: 1000 * round },
        ]),
      );
    }, CHANGES_MS);
    // Until each transfer has changed once: those that came first are gone by then.
    await watch(page, (TRANSFERS / CHANGED) * (CHANGES_MS / 1000));
    const heapBefore = await heapOf(page);
    const busy = await watch(page, SECONDS);
    clearInterval(timer);
    const told = application.transfers.get(newest)?.downloadRate ?? 0;
    await page
      .getByText(`${told / 1000} kB/s`)
      .first()
      .waitFor();
    const heapAfter = await heapOf(page);
    const p95 = quantile(busy.frames, 0.95);
    return [
      { name: "page: 10,000 transfers, from opening to seen", value: shownMs, unit: "ms" },
      { name: "page at rest: 95 % of frames within", value: quantile(atRest.frames, 0.95), unit: "ms" },
      {
        name: "page, 200 changes 4 times a second: 95 % of frames within",
        value: p95,
        unit: "ms",
        ratio: p95 / quantile(atRest.frames, 0.95),
      },
      { name: "page: longest task", value: Math.max(0, ...busy.tasks), unit: "ms" },
      { name: "page: heap after 30 s, above before", value: (heapAfter - heapBefore) / MIB, unit: "MiB" },
    ];
  } finally {
    await browser.close();
    for (const close of closing) await close();
  }
}

function watch(page: Page, seconds: number): Promise<Seen> {
  return page.evaluate(
    (ms) =>
      new Promise<Seen>((resolve) => {
        const frames: number[] = [];
        const tasks: number[] = [];
        const observer = new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) tasks.push(duration);
        });
        observer.observe({ entryTypes: ["longtask"] });
        const first = performance.now();
        let last = first;
        const next = (now: number): void => {
          frames.push(now - last);
          last = now;
          if (now - first < ms) requestAnimationFrame(next);
          else resolve({ frames: frames.slice(1), tasks });
        };
        requestAnimationFrame(next);
      }),
    seconds * 1000,
  );
}

/** What is in use after a collection. */
async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}

for (const row of await benchPage()) process.stdout.write(`${JSON.stringify(row)}\n`);
