import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage } from "../support/opened-page.ts";

/** What somebody has to know before saying yes: what passes, what it costs, what becomes public, and where. */
const MEANING = ["encrypted", "upload", "public", "address", "DHT", "off"];
const GATE_MEANING = ["DHT", "address", "complains"];

for (const { answer, gate, expected } of [
  { answer: "Yes, when it can be reached", gate: false, expected: { mode: "auto", gate: false } },
  { answer: "Yes, when it can be reached", gate: true, expected: { mode: "auto", gate: true } },
  // Whoever does not relay is no gate.
  { answer: "No", gate: true, expected: { mode: "off", gate: false } },
]) {
  /** Would catch: a relay, or a gate, without anybody's word; a question that comes again, or one that does not say what it means. */
  test(
    `relaying is asked once, being a gate apart: ${answer}${gate ? ", with a gate" : ""}`,
    { timeout: 60_000 },
    async (t) => {
      const opened = await openPage(t, []);
      if (opened === undefined) return;
      const { page, served, complaints } = opened;
      page.setDefaultTimeout(15_000);
      const said = (): unknown[] =>
        served.application.calls.filter(({ name }) => name === "setRelay").map(({ input }) => input);
      const question = page.locator("section", { hasText: "Would you carry others' data" });
      await question.waitFor();
      const text = await question.innerText();
      for (const word of MEANING) assert.ok(text.includes(word), word);
      const box = question.getByRole("checkbox");
      assert.equal(await box.isChecked(), false, "a gate by default");
      const hint = await question.locator("label").innerText();
      for (const word of GATE_MEANING) assert.ok(hint.includes(word), word);
      assert.deepEqual(said(), [], "nobody has been asked yet");

      if (gate) await question.locator("label").click();
      await question.getByRole("button", { name: answer, exact: true }).click();
      await question.waitFor({ state: "detached" });
      assert.deepEqual(said(), [expected]);
      await page.reload();
      await page.getByText("Share files with a link").waitFor();
      assert.equal(await question.count(), 0, "asked again");
      assert.deepEqual(await complaints(), []);
    },
  );
}
