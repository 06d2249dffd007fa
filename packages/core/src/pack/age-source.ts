import { openAgeBody, type AgePlain } from "./age-body.ts";
import { openAgeHeader, type AgeKeys } from "./age-header.ts";
import type { PackSource } from "./source.ts";

/**
 * The plaintext of an age file, any byte of it. The last chunk is opened first: it alone is sealed as the last one, so it proves the
 * length, and that nothing was cut off, before anything is interpreted. Raises as `openAgeHeader`, and E_CRYPTO for damage.
 */
export async function openAgeSource(
  source: PackSource,
  keys: AgeKeys,
  signal?: AbortSignal,
): Promise<AgePlain> {
  const { bytes, streamKey } = await openAgeHeader(source, keys, signal);
  return openAgeBody(source, { offset: bytes.length, streamKey }, signal);
}
