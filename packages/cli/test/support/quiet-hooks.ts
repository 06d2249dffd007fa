import { silentLog } from "@backroom/core/base/log.ts";
import type { Hooks } from "@backroom/core/node/hooks.ts";

/** For members that run without anybody to tell, and agree to everything. */
export const quietHooks: Hooks = {
  progress() {},
  status() {},
  note() {},
  warn() {},
  event() {},
  confirm: () => Promise.resolve(true),
  log: silentLog,
};
