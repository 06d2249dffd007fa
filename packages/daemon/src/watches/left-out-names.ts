/** What programs put at the end of a file that they have not finished: browsers, download managers, editors, office suites. */
const UNFINISHED = [
  ".!qb",
  ".!ut",
  ".aria2",
  ".crdownload",
  ".download",
  ".filepart",
  ".part",
  ".partial",
  ".opdownload",
];
const TEMPORARY = [".tmp", ".temp", ".swp", ".swx", ".lock", "~"];
/** What file managers leave in every folder. */
const LITTER = new Set(["thumbs.db", "desktop.ini", "ehthumbs.db"]);

/** Whether something of that name is still being written by a program that will rename it. */
export function isUnfinished(name: string): boolean {
  const lower = name.toLowerCase();
  return UNFINISHED.some((end) => lower.endsWith(end));
}

/** Whether a name in a watched folder is never shared: hidden, temporary, unfinished or litter. */
export function isLeftOut(name: string): boolean {
  const lower = name.toLowerCase();
  if (lower.startsWith(".") || lower.startsWith("~$") || LITTER.has(lower)) return true;
  return isUnfinished(name) || TEMPORARY.some((end) => lower.endsWith(end));
}
