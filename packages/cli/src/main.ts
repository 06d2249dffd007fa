#!/usr/bin/env -S node --external-memory-accounted-in-global-limit --initial-heap-size=64 --max-semi-space-size=2 --min-semi-space-size=2
// The options keep V8 from collecting the whole heap for every few MiB of frames (docs/adr/0006-heap-options.md).
import { runCommandLine } from "./program.ts";

process.exitCode = await runCommandLine(process.argv.slice(2));
