/**
 * Every bound on what a stranger can fill, each with its reason. Units are in the names.
 * A bound that is not here does not exist: code that needs one adds it here.
 */
export const LIMITS = {
  // --- base -----------------------------------------------------------------------------------------
  /** Our deepest message nests four levels; torrents of others need six. Stops stack exhaustion. */
  bencodeDepth: 16,
  /** No bencoded thing of ours is larger; a DHT packet is bounded much lower by the validator. */
  bencodeBytes: 1024 * 1024,
} as const;
