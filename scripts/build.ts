/**
 * Compiles a release into dist/: plain JavaScript with declarations, and manifests that name the compiled files. Sources import
 * `@backroom/core/….ts` and the like; the manifests of the compiled parts map those names to `.js`, so not a line differs between the two.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");
const dist = path.join(root, "dist");

interface Manifest {
  version: string;
  dependencies: Record<string, string>;
  [key: string]: unknown;
}

rmSync(dist, { recursive: true, force: true });
const compiled = spawnSync("tsc -p tsconfig.build.json", {
  cwd: root,
  stdio: "inherit",
  shell: true,
});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

const PARTS = ["core", "api", "daemon"];
const manifests = new Map(PARTS.map((name) => [name, manifestOf(name)]));
const cli = manifestOf("cli");
// The command line finds the compiled parts where Node looks for dependencies: one package, nothing linked.
const scope = path.join(dist, "node_modules/@backroom");
mkdirSync(scope, { recursive: true });
for (const [name, manifest] of manifests) {
  renameSync(path.join(dist, "packages", name), path.join(scope, name));
  const exports = { "./*.ts": "./src/*.js" };
  write(path.join(scope, name), { ...manifest, exports, engines: { node: ">=24" } });
}
const page = path.join(root, "packages/web/dist");
if (!existsSync(page)) throw new Error("the page is not built: npm run build:web");
cpSync(page, path.join(scope, "web/dist"), { recursive: true });
write(path.join(scope, "web"), { name: "@backroom/web", version: cli.version, private: true });
renameSync(path.join(dist, "packages/cli/src"), path.join(dist, "src"));
rmSync(path.join(dist, "packages"), { recursive: true });
const ours = [...PARTS, "web"].map((name) => `@backroom/${name}`);
const external = [...manifests.values(), cli]
  .flatMap(({ dependencies }) => Object.entries(dependencies ?? {}))
  .filter(([name]) => !ours.includes(name));
write(dist, {
  ...cli,
  bin: { backroom: "./src/main.js" },
  engines: { node: ">=24" },
  dependencies: {
    ...Object.fromEntries(ours.map((name) => [name, cli.version])),
    ...Object.fromEntries(external),
  },
  bundleDependencies: ours,
});
chmodSync(path.join(dist, "src/main.js"), 0o755);
for (const file of ["LICENSE", "README.md"]) cpSync(path.join(root, file), path.join(dist, file));

const tried = spawnSync(process.execPath, [path.join(dist, "src/main.js"), "--version"], {
  encoding: "utf8",
});
if (tried.stdout.trim() !== cli.version) {
  process.stderr.write(`the compiled program does not start:\n${tried.stderr}`);
  process.exit(1);
}
process.stdout.write(`built backroom ${cli.version} in dist/\n`);

function manifestOf(name: string): Manifest {
  return JSON.parse(readFileSync(path.join(root, "packages", name, "package.json"), "utf8")) as Manifest;
}

function write(folder: string, manifest: Record<string, unknown>): void {
  writeFileSync(path.join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}
