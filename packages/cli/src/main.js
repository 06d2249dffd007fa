#!/usr/bin/env -S node --external-memory-accounted-in-global-limit --initial-heap-size=64 --max-semi-space-size=2 --min-semi-space-size=2 --heap-growing-percent=100
// The options keep V8 from collecting the whole heap for every few MiB of frames (docs/adr/0006-heap-options.md).
// Not TypeScript, nor is the module below: what strips types takes 20 MiB for as long as the program runs, and is not loaded where all that has types is kept stripped.
import { keepCompiledCode } from "./compile-cache.js";

keepCompiledCode(process.env, process.platform);
// Not before: what is imported above is compiled by then.
const [{ runCommandLine }, { processWorld }] = await Promise.all([
  import("./program.ts"),
  import("./process-world.ts"),
]);
process.exitCode = await runCommandLine(process.argv.slice(2), processWorld);
