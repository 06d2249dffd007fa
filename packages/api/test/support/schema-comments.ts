import { globSync, readFileSync } from "node:fs";

const SCHEMAS = new URL("../../src/schemas/", import.meta.url);

/** What the sources say above each schema, by its name, and above each of its fields, by `Name.field`: for people who read the reference and not the code. */
export function schemaComments(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const file of globSync("*.ts", { cwd: SCHEMAS })) {
    let schema = "";
    // A comment with the name below it, or a schema without one, whose fields come next.
    const names =
      /^( *)\/\*\*(.*?)\*\/\n *(?:export )?(?:const )?(\w+)(?::| =)|^(?:export )?const (\w+) =/gms;
    for (const [, indent = "", comment = "", name = "", bare] of readFileSync(
      new URL(file, SCHEMAS),
      "utf8",
    ).matchAll(names)) {
      if (bare !== undefined || indent === "") schema = bare ?? name;
      if (bare === undefined) found.set(indent === "" ? name : `${schema}.${name}`, textOf(comment));
    }
  }
  return found;
}

function textOf(comment: string): string {
  return comment.replaceAll(/^ *\* ?/gm, "").trim();
}
