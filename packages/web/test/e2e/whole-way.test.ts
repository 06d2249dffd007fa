import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import type { CommandProcess } from "../../../cli/src/demo/children.ts";
import { TestNetwork } from "../../../cli/test/support/network.ts";
import { launchBrowser, watchedPage } from "../support/browser.ts";
import { drop } from "../support/drop.ts";
import { pngOf } from "../support/png.ts";

const MIB = 1024 * 1024;
const FILM = randomBytes(12 * MIB);
const LEFT_OUT = randomBytes(4 * MIB);
const PICTURE = pngOf(40, 30);
/** So that there is a middle in which to reload and to kill. */
const SLOW_KB = 1500;

/**
 * Two members with a daemon and a browser each, and nothing else: what one drops, the other has as files, though the page is reloaded and the daemon killed
 * on the way, and one that the other did not choose is not fetched. Would catch: whatever a person meets who never sees a command line.
 */
test(
  "what is dropped on one page is files on another computer, by the pages alone",
  { timeout: 300_000 },
  async (t) => {
    const browser = await launchBrowser(t);
    if (browser === undefined) return;
    const ports: Readonly<Record<string, Ports>> = { ada: await freePorts(), ben: await freePorts() };
    const network = await TestNetwork.start(6, {
      prefix: (name) => (ports[name] === undefined ? [] : ["env", ...environment(ports[name])]),
      address: () => "127.0.0.1",
    });
    t.after(() => network.close());
    const open = (name: string): Promise<OpenDaemon> => openDaemon(network, name, ports[name] as Ports);
    const [ada, ben] = await Promise.all([open("ada"), open("ben")]);

    const a = await watchedPage(browser, [ada.origin, ada.content], {
      viewport: { width: 1100, height: 800 },
    });
    await a.page.goto(await ada.url());
    await a.page.getByText("Share files with a link").waitFor();
    await drop(a.page, [
      { name: "film.bin", type: "application/octet-stream", bytes: FILM },
      { name: "beach.png", type: "image/png", bytes: PICTURE },
      { name: "left out.bin", type: "application/octet-stream", bytes: LEFT_OUT },
    ]);
    await a.page.getByText("3 files").waitFor();
    await a.page.getByLabel("Name that the link shows").fill("Holiday");
    await a.page.getByRole("button", { name: "Start" }).click();
    await a.page.getByRole("heading", { level: 1, name: "Holiday" }).waitFor();
    await a.page.locator(".progress").getByText("Handed out").waitFor();
    await a.page.getByRole("button", { name: "Link …" }).click();
    const link = await a.page.locator(".copy-box code").first().innerText();
    assert.match(link, /^backroom:[a-z2-7]+$/);

    const b = await watchedPage(browser, [ben.origin, ben.content], {
      viewport: { width: 1100, height: 800 },
    });
    await b.page.goto(await ben.url());
    await b.page.getByText("Share files with a link").waitFor();
    await b.page.goto(`${ben.origin}/#/settings`);
    await b.page.getByLabel("Fetching").first().fill(String(SLOW_KB));
    await b.page.getByRole("button", { name: "Save" }).first().click();
    await b.page.goto(`${ben.origin}/#/transfers`);
    await b.page.keyboard.press("a");
    await b.page.getByLabel("Link", { exact: true }).fill(link);
    await b.page.getByLabel("Put the files into").fill(network.path("out"));
    await b.page.getByText("Let me choose the files first").click();
    await b.page.getByRole("button", { name: "Start" }).click();
    await b.page.locator(".progress").getByText("No file chosen yet").waitFor();
    for (const name of ["film.bin", "beach.png"]) {
      await b.page.getByRole("checkbox", { name: `Fetch ${name}` }).click();
    }
    await b.page.getByText("From others · 2 of 3 files").waitFor();
    await b.page.locator(".progress").getByText("Downloading").waitFor();
    await b.page
      .getByText(/^Downloading · [3-9](\.\d)? MB/)
      .or(b.page.getByText(/ · [3-9](\.\d)? MB \//))
      .first()
      .waitFor();

    await b.page.reload();
    await b.page.getByRole("heading", { level: 1, name: "Holiday" }).waitFor();

    ben.process.kill("SIGKILL");
    await ben.process.ended();
    await b.page.getByText("What you see may be old").waitFor();
    const again = await open("ben");
    assert.equal(again.origin, ben.origin);
    await b.page.getByText("What you see may be old").waitFor({ state: "detached" });
    await b.page.locator(".progress").getByText("Handed out").waitFor({ timeout: 120_000 });

    assert.deepEqual(await readFile(network.path("out", "Holiday", "film.bin")), FILM);
    assert.deepEqual(await readFile(network.path("out", "Holiday", "beach.png")), PICTURE);

    await assert.rejects(readFile(network.path("out", "Holiday", "left out.bin")), { code: "ENOENT" });

    // What others made is shown from the content port, where nothing of it can run.
    await b.page
      .getByRole("button", { name: "Preview: Holiday/beach.png" })
      .or(b.page.getByRole("button", { name: /Preview: .*beach\.png/ }))
      .first()
      .click();
    await b.page.waitForFunction(
      () => document.querySelector<HTMLImageElement>("img.preview")?.naturalWidth === 40,
    );
    assert.deepEqual(await a.complaints(), []);
    assert.deepEqual(await b.complaints(), []);
  },
);

interface OpenDaemon {
  readonly process: CommandProcess;
  readonly origin: string;
  readonly content: string;
  readonly url: () => Promise<string>;
}

/** Free ones, the same again after a restart. */
interface Ports {
  readonly page: number;
  readonly content: number;
}

async function freePorts(): Promise<Ports> {
  const servers = [createServer(), createServer()];
  const [page = 0, content = 0] = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return (server.address() as AddressInfo).port;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return { page, content };
}

function environment({ page, content }: Ports): string[] {
  return [
    `BACKROOM_PAGE_PORT=${page}`,
    `BACKROOM_CONTENT_PORT=${content}`,
    "BACKROOM_CONFIG=/nonexistent/config.toml",
  ];
}

async function openDaemon(network: TestNetwork, name: string, { page, content }: Ports): Promise<OpenDaemon> {
  const running = await network.run(name, ["daemon", "run"]);
  await running.line(({ event }) => event === "ready");
  return {
    process: running,
    origin: `http://127.0.0.1:${page}`,
    content: `http://127.0.0.1:${content}`,
    url: async () => {
      const asked = await network.run(name, ["page", "--print"]);
      return String((await asked.line(({ event }) => event === "result"))["url"]);
    },
  };
}
