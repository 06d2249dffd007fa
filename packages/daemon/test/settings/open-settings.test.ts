import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { openDataFolder, type DataFolder } from "@backroom/core/node/data-folder.ts";
import { lanSetting } from "@backroom/core/node/lan-setting.ts";
import { keepProxy, proxyInUse } from "@backroom/core/node/proxy-setting.ts";
import { openSettings, type SettingsOptions } from "../../src/settings/open-settings.ts";
import { SETTING_KEYS, SETTINGS } from "../../src/settings/setting-table.ts";
import type { Settings } from "../../src/settings/settings.ts";

interface Place {
  readonly folder: DataFolder;
  readonly file: string;
  readonly open: (more?: Partial<SettingsOptions>) => Promise<Settings>;
}

async function withPlace(text: string | undefined, work: (place: Place) => Promise<void>): Promise<void> {
  const root = await mkdtemp(path.join(tmpdir(), "backroom-settings-"));
  try {
    const folder = await openDataFolder(path.join(root, "data"));
    const file = path.join(root, "config", "config.toml");
    if (text !== undefined) {
      await mkdir(path.dirname(file));
      await writeFile(file, text);
    }
    await work({
      folder,
      file,
      open: (more) => openSettings({ folder, env: {}, configFile: file, ...more }),
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function refusal(...parts: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isBackroomError(error, "E_SETTING"), String(error));
    const said = `${error.message} ${error.why} ${error.fix}`;
    for (const part of parts) assert.ok(said.includes(part), `“${part}” is missing in: ${said}`);
    return true;
  };
}

const entryOf = (settings: Settings, key: string): { value: unknown; origin: string } => {
  const { value, origin } = settings.entries().find((one) => one.key === key) ?? {};
  return { value, origin: origin ?? "none" };
};

test("without a file everything has its default, and nothing is written", async () => {
  await withPlace(undefined, async ({ open, file }) => {
    const settings = await open();
    for (const key of SETTING_KEYS) {
      assert.deepEqual(entryOf(settings, key), { value: SETTINGS[key].default, origin: "default" });
    }
    await assert.rejects(stat(file));
  });
});

/** Would catch: a weaker place that wins over a stronger one. */
test("flag before environment before file before default, each known by its origin", async () => {
  await withPlace("[page]\nport = 1001\n", async ({ open }) => {
    const env = { BACKROOM_PAGE_PORT: "1002", BACKROOM_PAGE_HOST: "" };
    const flags = { "page.port": 1003 };
    const seen = async (more: Partial<SettingsOptions>): Promise<unknown> =>
      entryOf(await open(more), "page.port");
    assert.deepEqual(await seen({ env, flags }), { value: 1003, origin: "flag" });
    assert.deepEqual(await seen({ env, flags: { "page.port": "1004" } }), { value: 1004, origin: "flag" });
    assert.deepEqual(await seen({ env, flags: { "page.port": undefined } }), {
      value: 1002,
      origin: "environment",
    });
    assert.deepEqual(await seen({}), { value: 1001, origin: "file" });
    // An empty variable is how compose files say that it is not set.
    assert.deepEqual(entryOf(await open({ env }), "page.host"), { value: "127.0.0.1", origin: "default" });
  });
});

test("what is set is in force at once, in the file, and there after a restart; null takes it out again", async () => {
  await withPlace("# mine\n", async ({ open, file }) => {
    const settings = await open();
    const changed: string[] = [];
    settings.onChange((key) => changed.push(key));
    assert.equal((await settings.set("downloads.active", "7")).value, 7);
    assert.equal(settings.get("downloads.active"), 7);
    assert.equal(await readFile(file, "utf8"), "# mine\n\n[downloads]\nactive = 7\n");
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await open()).get("downloads.active"), 7);
    await settings.set("downloads.active", 7);
    const entry = await settings.set("downloads.active", null);
    assert.deepEqual([entry.value, entry.origin], [5, "default"]);
    assert.deepEqual(changed, ["downloads.active", "downloads.active"]);
  });
});

test("changes at the same time are all kept", async () => {
  await withPlace(undefined, async ({ open }) => {
    const settings = await open();
    const ports = ["page.port", "content.port", "relay.port"] as const;
    await Promise.all(ports.map((key, index) => settings.set(key, 2000 + index)));
    const again = await open();
    assert.deepEqual(
      ports.map((key) => again.get(key)),
      [2000, 2001, 2002],
    );
  });
});

test("what stands above the file goes on holding, and the entry says so", async () => {
  await withPlace(undefined, async ({ open }) => {
    const settings = await open({ env: { BACKROOM_DOWNLOADS_ACTIVE: "3" } });
    const entry = await settings.set("downloads.active", 9);
    assert.deepEqual([entry.value, entry.origin], [3, "environment"]);
    assert.equal((await open()).get("downloads.active"), 9);
  });
});

/** Would catch: a file in a folder of dotfiles that is cut off from its link. */
test("a link to the file stays a link", async () => {
  await withPlace("", async ({ open, file }) => {
    const link = `${file}.link`;
    await symlink(file, link);
    await (await open({ configFile: link })).set("log.level", "debug");
    assert.equal(await readFile(file, "utf8"), '[log]\nlevel = "debug"\n');
    assert.equal(await readFile(link, "utf8"), '[log]\nlevel = "debug"\n');
  });
});

test("a value of the wrong kind is refused with its line and what it may be", async () => {
  const refused = [
    ['[page]\n\nport = "80"', "line 3", "a whole number from 0 to 65535"],
    ["[page]\nport = 65536", "line 2", "a whole number"],
    ["[page]\nenabled = 1", "line 2", "true or false"],
    ['downloads.folder = "here"', "line 1", "an absolute path"],
    ['[log]\nlevel = "loud"', "line 2", "one of debug, info, warn"],
    ['[page]\nhost = "localhost"', "line 2", "an IP address"],
    ["[downloads]\nactive = [5]", "line 2", "a whole number"],
  ] as const;
  for (const [text, ...parts] of refused) {
    await withPlace(text, async ({ open }) => {
      await assert.rejects(open(), refusal(...parts), text);
      const lenient = await open({ lenient: true });
      assert.equal(lenient.problems().length, 1, text);
    });
  }
  await withPlace(undefined, async ({ open }) => {
    await assert.rejects(open({ env: { BACKROOM_PAGE_PORT: "x" } }), refusal("BACKROOM_PAGE_PORT"));
    await assert.rejects(open({ flags: { "page.port": "x" } }), refusal("page.port"));
  });
});

test("what is no TOML is refused with its line", async () => {
  await withPlace("[page]\nport == 1\n", async ({ open }) => {
    await assert.rejects(open({ lenient: true }), refusal("line 2"));
  });
});

test("an unknown key in the file is told with the nearest one, and the rest holds", async () => {
  await withPlace(
    '[page]\nprot = 80\nport = 81\n[relay]\nmode = "on"\n[quite]\ndifferent = 1',
    async ({ open }) => {
      const settings = await open();
      assert.equal(settings.get("page.port"), 81);
      assert.deepEqual(
        settings.problems().map(({ key, line }) => [key, line]),
        [
          ["page.prot", 2],
          ["relay.mode", 5],
          ["quite.different", 7],
        ],
      );
      assert.match(settings.problems()[0]?.text ?? "", /perhaps page\.port/);
      assert.match(settings.problems()[1]?.text ?? "", /backroom relay auto/);
      assert.match(settings.problems()[2]?.text ?? "", /none has a name like it/);
    },
  );
});

test("setting an unknown key, or what does not fit, changes nothing and says what would", async () => {
  await withPlace("[page]\nport = 81\n", async ({ open, file }) => {
    const settings = await open();
    await assert.rejects(settings.set("page.prot", 1), refusal("page.prot", "perhaps page.port"));
    await assert.rejects(settings.set("port", 1), refusal("perhaps page.port"));
    await assert.rejects(settings.set("page.port", -1), refusal("from 0 to 65535"));
    await assert.rejects(settings.set("page.port", true), refusal("from 0 to 65535"));
    await assert.rejects(settings.set("__proto__", 1), refusal("__proto__"));
    assert.equal(await readFile(file, "utf8"), "[page]\nport = 81\n");
    assert.equal(settings.get("page.port"), 81);
  });
});

/** Would catch: one broken line that keeps a running daemon from every other change, or takes a setting back to its default. */
test("a line that somebody breaks while the daemon runs leaves its last value, and other settings can be changed", async () => {
  await withPlace("[page]\nport = 81\n", async ({ open, file }) => {
    const settings = await open();
    await writeFile(file, "[page]\nport = 82000\n");
    await settings.set("page.enabled", false);
    assert.equal(settings.get("page.port"), 81);
    assert.equal(settings.problems()[0]?.line, 2);
    await settings.set("page.port", 83);
    assert.equal(settings.get("page.port"), 83);
    assert.deepEqual(settings.problems(), []);
  });
});

/** Would catch: a second place for the proxy, of which the commands in the foreground know nothing and go past it. */
test("proxy and local network are what the commands in the foreground go by, and no secret is shown", async () => {
  await withPlace(undefined, async ({ open, folder, file }) => {
    const login = "socks5://ann:secret@127.0.0.1:9050";
    await keepProxy(folder.root, login);
    const settings = await open();
    assert.equal(settings.get("network.proxy"), login);
    assert.deepEqual(entryOf(settings, "network.proxy"), {
      value: "socks5://127.0.0.1:9050",
      origin: "file",
    });
    await settings.set("network.proxy", "socks5://127.0.0.1:9150");
    assert.equal((await proxyInUse(folder, undefined))?.port, 9150);
    await settings.set("network.proxy", "none");
    assert.equal(await proxyInUse(folder, undefined), undefined);
    await settings.set("network.lan", "on");
    assert.equal(await lanSetting(folder.root), true);
    await assert.rejects(stat(file));
    await assert.rejects(settings.set("network.proxy", "http://ann:secret@host"), (error) => {
      refusal("socks5://address:port")(error);
      return !JSON.stringify(error).includes("secret") && !(error as Error).message.includes("secret");
    });
  });
  await withPlace('[network]\nproxy = "socks5://127.0.0.1:9050"\n', async ({ open }) => {
    await assert.rejects(open(), refusal("line 2", "backroom config set network.proxy"));
  });
});

test("~/ is the home folder", async () => {
  await withPlace('[downloads]\nfolder = "~/in"\n', async ({ open }) => {
    assert.ok(path.isAbsolute((await open()).get("downloads.folder")));
    assert.match((await open()).get("downloads.folder"), /[/\\]in$/);
  });
});

test("a file that cannot be written says so, and what was in force stays", async () => {
  await withPlace(undefined, async ({ open, file }) => {
    const settings = await open();
    await writeFile(path.dirname(file), "no folder");
    await assert.rejects(settings.set("page.port", 1), (error) => isBackroomError(error, "E_STORE"));
    assert.equal(settings.get("page.port"), SETTINGS["page.port"].default);
  });
});
