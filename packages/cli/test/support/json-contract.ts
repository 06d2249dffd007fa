import assert from "node:assert/strict";
import { z } from "zod";
import { EVENTS, RESULTS, type CommandPath, type EventName } from "../../src/contract.ts";

/** Fields that nobody wrote down are a breach, too. */
const strict = (shape: z.ZodObject): z.ZodObject => z.strictObject(shape.shape);

/** Would catch: a field that was renamed in the program or in the contract only, an event that nobody wrote down, `v` left out. */
export function assertContract(lines: readonly Record<string, unknown>[], command: CommandPath): void {
  for (const { v, event, ...data } of lines) {
    const name = String(event);
    assert.equal(v, 1, command);
    const shape = name === "result" ? RESULTS[command] : EVENTS[name as EventName];
    assert.ok(shape !== undefined && shape !== null, `${command}: ${name} is not in the contract`);
    const parsed = strict(shape).safeParse(data);
    assert.ok(parsed.success, `${command}: ${name}: ${parsed.error?.message}`);
  }
}
