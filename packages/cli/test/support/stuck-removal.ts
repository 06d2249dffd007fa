/** Loaded into a daemon: removing the file that says that it runs never ends, as on a disk that does not answer. */
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const { rm } = fs;
fs.rm = (place, options) =>
  String(place).endsWith("daemon.json") ? new Promise<void>(() => {}) : rm(place, options);
syncBuiltinESMExports();
