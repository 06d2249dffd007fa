import { BackroomError } from "@backroom/core/base/errors.ts";
import { readText } from "./input.ts";

/**
 * A proxy as people name it: its URL, `-` for standard input, `@file` for a file. Raises E_USAGE for a login on the command line, which every program of
 * this computer can read there.
 */
export async function readProxy(argument: string, isFromEnvironment = false): Promise<string> {
  const isPublic = !isFromEnvironment && argument !== "-" && !argument.startsWith("@");
  if (isPublic && argument.includes("@")) {
    throw new BackroomError("E_USAGE", "a user name and password do not belong on the command line", {
      why: "every program on this computer can read command lines",
      fix: "put the whole URL into a file and give @FILE, or into the environment as BACKROOM_PROXY",
    });
  }
  return (await readText(argument, "a proxy")).trim();
}
