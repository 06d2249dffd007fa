import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

const ROOT = path.resolve(import.meta.dirname, "../../../..");
const DOCUMENTS = globSync("{*.md,docs/**/*.md}", { cwd: ROOT });
/** Written in the way of paths, and none of this tree. */
const NO_PATHS = ["catalogue/catalogue.db"];

/** Would catch: a page that was moved, or a heading that has other words since, under a link that stayed. */
test("what a document links to is there, down to the heading", () => {
  for (const document of DOCUMENTS) {
    for (const [, target = ""] of textOf(document).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [name = "", anchor] = target.split("#");
      const file = name === "" ? document : path.join(path.dirname(document), name);
      assert.ok(existsSync(path.join(ROOT, file)), `${document}: ${target}`);
      if (anchor !== undefined) assert.ok(anchorsOf(file).includes(anchor), `${document}: ${target}`);
    }
  }
});

/** Would catch: a file that was renamed, under the name that a document still has for it. */
test("files and folders that documents name are there", () => {
  for (const document of DOCUMENTS) {
    for (const name of namesIn(textOf(document))) {
      const [first = ""] = name.split("/");
      // Others are examples, of what people share for instance.
      if (NO_PATHS.includes(name) || (name.includes("/") && !isThere("", first))) continue;
      assert.ok(isThere(document, name), `${document}: ${name}`);
    }
  }
});

/** In these a name without a folder stands for one in the folder that was named before it. Would catch the same. */
test("so are those that ARCHITECTURE and the threat model name without their folder", () => {
  const diagram = /```\n(.*?)```/s.exec(textOf("ARCHITECTURE.md"))?.[1] ?? "";
  const lists = [
    ...tableCells("ARCHITECTURE.md"),
    ...tableCells("docs/THREAT_MODEL.md").filter((cell) => cell.includes(".test.ts")),
    ...[...diagram.matchAll(/\b[a-z]+\/[\w-]+(?:, [\w-]+)*/g)].map(([names]) =>
      names.replaceAll(/[^ ,]+/g, "`$&`"),
    ),
  ];
  assert.ok(lists.length > 80, `only ${lists.length} were found`);
  for (const list of lists) {
    let folder = "";
    for (const [, name = ""] of list.matchAll(/`((?:[\w-]+\/)*[\w-]+(?:\.\w+)*)\/?`/g)) {
      const near = [`${folder}/${name}`, `${path.dirname(folder)}/${name}`];
      const full = [...(name.includes("/") || folder === "" ? [name] : []), ...near].find((one) =>
        isThere("", one),
      );
      assert.ok(full !== undefined, `${name} in: ${list}`);
      folder = full;
    }
  }
});

/** Would catch: a script of package.json under another name than the one that people are told. */
test("npm scripts that documents name are there", () => {
  const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
  for (const document of DOCUMENTS) {
    for (const [, name = ""] of textOf(document).matchAll(/npm run (?:-s )?([\w:-]+)/g)) {
      assert.ok(Object.hasOwn(scripts, name), `${document}: npm run ${name}`);
    }
  }
});

function textOf(file: string): string {
  return readFileSync(path.join(ROOT, file), "utf8");
}

function namesIn(text: string): string[] {
  return [...text.matchAll(/`((?:[\w.-]+\/)+[\w.-]+|[\w-]+\.tsx?)`/g)].map(([, name = ""]) => name);
}

/** GitHub's: lower-case words, joined by hyphens. */
function anchorsOf(file: string): string[] {
  return [...textOf(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** All but the first of each row, which says what the others are about. */
function tableCells(file: string): string[] {
  return [...textOf(file).matchAll(/^\| (.*) \|$/gm)].flatMap(([, row = ""]) => row.split(" | ").slice(1));
}

/** Whether the tree has that name: beside the document, from the root, or as the end of a path, with its extension or without. */
function isThere(document: string, name: string): boolean {
  const places = [ROOT, path.join(ROOT, path.dirname(document))];
  return places.some((place) => existsSync(path.join(place, name))) || ends().has(name);
}

let known: Set<string> | undefined;

function ends(): Set<string> {
  if (known !== undefined) return known;
  known = new Set();
  for (const file of globSync("{packages,scripts}/**", {
    cwd: ROOT,
    exclude: ["**/node_modules/**", "**/dist/**"],
  })) {
    for (const whole of [
      file,
      file.replace(/^packages\/(\w+)\/src\b/, "$1"),
      file.replace(/^packages\//, ""),
    ]) {
      const parts = whole.replaceAll("\\", "/").split("/");
      for (let at = 0; at < parts.length; at++) {
        const end = parts.slice(at).join("/");
        known.add(end).add(end.replace(/\.\w+$/, ""));
      }
    }
  }
  return known;
}
