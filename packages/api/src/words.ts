/**
 * The words that the API's enumerations consist of, in their order. Apart from the schemas, so that a command and the page can offer them without loading
 * those; what each means stands beside its schema.
 */
export const TRANSFER_STATES = [
  "queued",
  "sealing",
  "joining",
  "looking",
  "choosing",
  "downloading",
  "opening",
  "checking",
  "seeding",
  "paused",
  "done",
  "failed",
] as const;
export const TRANSFER_ROLES = ["share", "get", "mirror"] as const;
export const NOTE_KINDS = [
  "begun",
  "again",
  "restarted",
  "sealed",
  "linked",
  "found",
  "alone",
  "stored",
  "opened",
  "mended",
  "checked",
  "given",
  "paused",
  "resumed",
  "moved",
  "failed",
  "said",
] as const;
/** What a transfer waits for where that is no error: its turn to be sealed or fetched, files being chosen, a seeder, a gate, its turn to be found. */
export const WAITS = [
  "WAIT_SEALING",
  "WAIT_DOWNLOAD",
  "WAIT_CHOICE",
  "WAIT_SEEDER",
  "WAIT_GATE",
  "WAIT_ROUND",
] as const;
/** From what is not fetched to what comes first. */
export const FILE_PRIORITIES = ["skip", "low", "normal", "high"] as const;
/** What a page may say of the browser that it is in: enough to tell one's own from each other, and nothing that tells people apart. */
export const BROWSERS = ["Firefox", "Chrome", "Edge", "Opera", "Safari", "browser"] as const;
export const SCOPES = ["read", "links", "write", "admin"] as const;
