import assert from "node:assert/strict";
import { test } from "node:test";
import { transferOf } from "../support/fake-application.ts";
import { openPage } from "../support/opened-page.ts";

/** Names that a sharer may choose to do harm with. */
const NAMES = [
  "<img src=x onerror=\"document.title='owned'\">",
  "<script>document.title='owned'</script>",
  "javascript:document.title='owned'",
  "\"><svg/onload=document.title='owned'>",
  "{{constructor.constructor('document.title=1')()}}",
  "invoice\u202efdp.exe",
  "a\u0000b\u0007c\nd",
  "ש".repeat(127),
  "\u0301".repeat(120),
  "w".repeat(255),
];

const UNSEEN = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/u;

/** Would catch: a name that becomes markup, turns the text around it, or stretches the page. */
test("names that attack are text, and nothing but text", { timeout: 120_000 }, async (t) => {
  const opened = await openPage(
    t,
    NAMES.map((name, at) =>
      transferOf(at + 1, {
        name,
        state: "failed",
        failure: { code: "E_FILE", what: `"${name}" cannot be read`, why: name, fix: name },
        waits: { code: "WAIT_SEEDER", why: name, fix: name },
      }),
    ),
  );
  if (opened === undefined) return;
  const { page, complaints } = opened;
  const title = await page.title();
  await page.getByRole("row").nth(NAMES.length).waitFor();
  for (let number = 1; number <= NAMES.length; number++) {
    await page.evaluate(
      (id) => {
        location.hash = `#/transfer/${id}`;
      },
      String(number).padStart(16, "0"),
    );
    await page.getByRole("heading", { level: 1 }).waitFor();
    const shown = await page.getByRole("heading", { level: 1 }).innerText();
    assert.doesNotMatch(shown, UNSEEN);
    assert.doesNotMatch(await page.locator("main").innerText(), UNSEEN);
    const width = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.equal(width, 0, `name ${number} stretches the page`);
  }
  assert.equal(await page.title(), title);
  assert.equal(await page.locator("main img, main script, main svg[onload]").count(), 0);
  assert.deepEqual(await complaints(), []);
});
