/**
 * Fails on a breach of the layer rule (ARCHITECTURE, "Layers"): resolves every import of every source file to its real path and compares
 * the two places' ranks. Also fails on any import of a socket module, or use of `fetch`, outside the places that may open sockets.
 */
import { globSync, readFileSync, realpathSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = realpathSync(path.join(path.dirname(fileURLToPath(import.meta.url)), ".."));

/** A place may import itself and every place whose rank is lower; equal ranks are strangers to each other. */
const RANKS: Readonly<Record<string, number>> = {
  "core/base": 0,
  "core/crypto": 1,
  "core/link": 2,
  "core/pack": 2,
  "core/torrent": 2,
  "core/net": 2,
  "core/store": 3,
  "core/circuit": 3,
  "core/directory": 4,
  "core/tunnel": 5,
  "core/swarm": 6,
  "core/node": 7,
  api: 8,
  daemon: 9,
  web: 9,
  cli: 10,
};
/** Of the core, a client knows what errors there are and nothing else. */
const API_MAY_IMPORT = new Set(["api", "core/base"]);
/** The daemon for `daemon run`, the node for what runs in the foreground (docs/adr/0002). */
const CLI_MAY_IMPORT = new Set(["cli", "api", "daemon", "core/base", "core/node"]);
const WEB_MAY_IMPORT = new Set(["web", "api"]);
const SOCKET_MODULES = new Set(["net", "tls", "dgram", "http", "https", "http2", "dns", "dns/promises"]);
/** The daemon listens for its clients, and the client of the command line finds it there. */
const MAY_OPEN_SOCKETS = new Set(["core/net", "daemon", "api"]);

const problems: string[] = [];
const files = globSync("packages/*/src/**/*.{js,ts,tsx}", { cwd: root });
for (const file of files) checkFile(file);
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`layers: ${files.length} files, ${problems.length} breaches\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

function checkFile(file: string): void {
  const text = readFileSync(path.join(root, file), "utf8");
  const from = placeOf(path.join(root, file));
  if (from === undefined || RANKS[from] === undefined) {
    problems.push(`${file}: lies in no known layer`);
    return;
  }
  if (!MAY_OPEN_SOCKETS.has(from) && /(?<![.#\w])fetch\s*\(/.test(withoutComments(text))) {
    problems.push(`${file}: uses fetch; only ${[...MAY_OPEN_SOCKETS].join(", ")} may`);
  }
  for (const specifier of importsOf(text)) checkImport(file, from, specifier);
}

function checkImport(file: string, from: string, specifier: string): void {
  if (isBuiltin(specifier)) {
    if (SOCKET_MODULES.has(specifier.replace(/^node:/, "")) && !MAY_OPEN_SOCKETS.has(from)) {
      problems.push(
        `${file}: imports ${specifier}; only ${[...MAY_OPEN_SOCKETS].join(", ")} may open sockets`,
      );
    }
    return;
  }
  const to = placeOf(resolve(file, specifier));
  if (to === undefined) return;
  if (!allowed(from, to)) problems.push(`${file}: ${from} must not import ${to} (${specifier})`);
}

function allowed(from: string, to: string): boolean {
  if (from === to) return true;
  if (from === "api") return API_MAY_IMPORT.has(to);
  if (from === "cli") return CLI_MAY_IMPORT.has(to);
  if (from === "web") return WEB_MAY_IMPORT.has(to);
  return (RANKS[to] ?? Infinity) < (RANKS[from] ?? -1);
}

/** The layer of a real path inside packages/, or undefined for anything else (a library). */
function placeOf(real: string): string | undefined {
  const [packages, name, source, folder] = path.relative(root, real).split(path.sep);
  if (packages !== "packages" || name === undefined || source !== "src") return undefined;
  return name === "core" ? `core/${folder}` : name;
}

function resolve(file: string, specifier: string): string {
  if (specifier.startsWith(".")) return realpathSync(path.resolve(root, path.dirname(file), specifier));
  try {
    return realpathSync(createRequire(path.join(root, file)).resolve(specifier));
  } catch {
    // Packages for `import` alone cannot be resolved this way; they are libraries, never ours.
    return specifier;
  }
}

function importsOf(text: string): string[] {
  const pattern = /(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\()\s*["']([^"']+)["']/g;
  return [...withoutComments(text).matchAll(pattern)].map((match) => match[1] as string);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}
