import { readFile } from "node:fs/promises";
import { BackroomError } from "@backroom/core/base/errors.ts";

/** Longer input than any link, invite or password file has a reason to be. */
const MOST_BYTES = 64 * 1024;

/** A link cannot tell whether a password or somebody's key opens its share. */
export const LOCKED =
  "This link is locked: it holds no key. Give a password with --password-file FILE, or a key with -i KEYFILE, or only store and hand out the share with --mirror.";

/** A link or invite as people hand it over: itself, `-` for standard input, `@file` for a file. */
export async function readText(argument: string, what: string): Promise<string> {
  if (argument === "-") return readStdin(what);
  if (argument.startsWith("@")) return readSmallFile(argument.slice(1), what);
  return argument;
}

/** A password from a file (its first line) or, without one, typed twice or once without echo. `nobody` is told where there is nobody to type. */
export async function readPassword(
  file: string | undefined,
  twice: boolean,
  nobody = "give a file that holds it with --password-file",
): Promise<string> {
  if (file !== undefined) {
    const text = file === "-" ? await readStdin("the password") : await readSmallFile(file, "the password");
    return text.split(/\r?\n/)[0] ?? "";
  }
  if (!process.stdin.isTTY) {
    throw new BackroomError("E_USAGE", "a password is wanted and nobody is there to type it", {
      fix: nobody,
    });
  }
  const password = await typed("Password: ");
  if (twice && (await typed("Again: ")) !== password) {
    throw new BackroomError("E_USAGE", "the two passwords differ", { fix: "type the same password twice" });
  }
  return password;
}

async function readStdin(what: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > MOST_BYTES) throw new BackroomError("E_USAGE", `standard input is too long for ${what}`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

export async function readSmallFile(file: string, what: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > MOST_BYTES) throw new BackroomError("E_USAGE", `the file is too long for ${what}`);
    return bytes.toString("utf8");
  } catch (cause) {
    if (cause instanceof BackroomError) throw cause;
    throw new BackroomError("E_FILE", `${what} could not be read from ${file}`, { cause });
  }
}

/** Reads a line with echo off. */
function typed(prompt: string): Promise<string> {
  process.stderr.write(prompt);
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.resume();
  return new Promise((resolve, reject) => {
    let line = "";
    const finish = (act: () => void): void => {
      stdin.off("data", onData);
      stdin.setRawMode(false);
      stdin.pause();
      process.stderr.write("\n");
      act();
    };
    const onData = (chunk: Buffer): void => {
      for (const letter of chunk.toString("utf8")) {
        if (letter === "\r" || letter === "\n") return finish(() => resolve(line));
        if (letter === "\u0003")
          return finish(() => reject(new BackroomError("E_INTERRUPTED", "no password was given")));
        if (letter === "\u007f" || letter === "\b") line = line.slice(0, -1);
        else line += letter;
      }
    };
    stdin.on("data", onData);
  });
}
