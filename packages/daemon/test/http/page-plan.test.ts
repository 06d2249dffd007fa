import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  contentHosts,
  contentOriginFor,
  pageHosts,
  planPage,
  type PagePlan,
} from "../../src/http/page-plan.ts";
import type { SettingValues, Settings } from "../../src/settings/settings.ts";

function settingsOf(given: Partial<SettingValues>): Pick<Settings, "get"> {
  const values = {
    "page.enabled": true,
    "page.host": "127.0.0.1",
    "page.port": 7420,
    "page.hosts": "",
    "page.tls-cert": null,
    "page.tls-key": null,
    "page.behind-proxy": false,
    "content.port": 0,
    ...given,
  } as SettingValues;
  return { get: (key) => values[key] };
}

function planOf(given: Partial<SettingValues>): PagePlan {
  const plan = planPage(settingsOf(given));
  assert.ok(plan);
  return plan;
}

const TLS = { "page.tls-cert": "/c.pem", "page.tls-key": "/k.pem" } as const;

test("a page that is switched off is not planned", () => {
  assert.equal(planPage(settingsOf({ "page.enabled": false, "page.host": "0.0.0.0" })), undefined);
});

describe("beyond this computer", () => {
  const open = { "page.hosts": "room.example", "content.port": 7421 } as const;
  for (const host of [
    "0.0.0.0",
    "::",
    "192.168.1.5",
    "2001:db8::5",
    "128.0.0.1",
    "::2",
    "::ffff:127.0.0.1",
  ]) {
    test(`${host} is refused without names, in the clear, or without a port for content`, () => {
      const at = { "page.host": host } as const;
      for (const settings of [
        at,
        { ...at, ...open },
        { ...at, ...TLS, "content.port": 7421 },
        { ...at, ...TLS, ...open, "page.hosts": " , " },
        { ...at, ...TLS, ...open, "content.port": 0 },
        { ...at, "page.behind-proxy": true, "content.port": 7421 },
      ]) {
        assert.throws(() => planPage(settingsOf(settings)), { code: "E_SETTING" }, JSON.stringify(settings));
      }
      planOf({ ...at, ...TLS, ...open });
      planOf({ ...at, ...open, "page.behind-proxy": true });
    });
  }

  test("a certificate without its key is refused, here too", () => {
    for (const half of [{ "page.tls-cert": "/c.pem" }, { "page.tls-key": "/k.pem" }] as const) {
      assert.throws(() => planPage(settingsOf(half)), { code: "E_SETTING" });
    }
  });
});

describe("the names that are answered", () => {
  test("here: by number and as localhost, at the port alone", () => {
    const hosts = pageHosts(planOf({}), 7420);
    assert.deepEqual(
      [...hosts],
      [
        ["127.0.0.1:7420", "http://127.0.0.1:7420"],
        ["localhost:7420", "http://localhost:7420"],
      ],
    );
    assert.deepEqual([...pageHosts(planOf({ "page.host": "::1" }), 1).keys()], ["[::1]:1", "localhost:1"]);
  });

  test("elsewhere: those that were named, with the port that browsers send", () => {
    const names = {
      "page.host": "0.0.0.0",
      "page.hosts": "Room.example, other.example:8443",
      "content.port": 7421,
    } as const;
    assert.deepEqual(
      [...pageHosts(planOf({ ...names, ...TLS }), 7420)],
      [
        ["room.example:7420", "https://room.example:7420"],
        ["other.example:8443", "https://other.example:8443"],
      ],
    );
    assert.deepEqual(
      [...pageHosts(planOf({ ...names, ...TLS }), 443).keys()],
      ["room.example", "other.example:8443"],
    );
    const behind = planOf({ ...names, "page.behind-proxy": true });
    assert.deepEqual(
      [...pageHosts(behind, 7420)],
      [
        ["room.example", "https://room.example"],
        ["other.example:8443", "https://other.example:8443"],
      ],
    );
    assert.deepEqual(
      [...contentHosts(behind, 7421).values()],
      ["https://room.example:7421", "https://other.example:7421"],
    );
  });

  test("content is at the same name as the page that shows it, so that both are one site", () => {
    const plan = planOf({});
    assert.equal(contentOriginFor(plan, "localhost:7420", 9), "http://localhost:9");
    assert.equal(contentOriginFor(plan, "127.0.0.1:7420", 9), "http://127.0.0.1:9");
    assert.equal(contentOriginFor(plan, null, 9), "http://127.0.0.1:9");
    assert.equal(contentOriginFor(plan, "evil.example:7420", 9), "http://127.0.0.1:9");
    assert.equal(contentOriginFor(planOf({ "page.host": "::1" }), "[::1]:7420", 9), "http://[::1]:9");
  });
});
