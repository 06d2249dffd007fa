/** Memory, in the binary units that it is sold in. */
export function formatGiB(bytes: number): string {
  return `${round(bytes / 1024 ** 3)} GiB`;
}

/** Disks, in the decimal units that they are sold in. */
export function formatGB(bytes: number): string {
  return bytes >= 1e12 ? `${round(bytes / 1e12)} TB` : `${round(bytes / 1e9)} GB`;
}

/** Lines, in bits as providers count; from bytes a second. */
export function formatMbit(bytesPerSecond: number): string {
  return `${round((bytesPerSecond * 8) / 1e6)} Mbit/s`;
}

/** 1 relay, 2 relays. */
export function counted(amount: number, word: string): string {
  return `${amount} ${word}${amount === 1 ? "" : "s"}`;
}

/** One digit behind the point where that says something, and never upwards: what is shown as the minimum is the minimum. */
function round(value: number): string {
  return String(value >= 100 ? Math.floor(value) : Math.floor(value * 10) / 10);
}
