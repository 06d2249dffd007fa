import { formatDuration } from "./format.ts";

/** How often a status that waits for something shows for how long. */
const TICK_MS = 1000;

/** The last line of a terminal, which is drawn over again and again: a bar, or what goes on just now. */
export class LiveLine {
  readonly #stream: NodeJS.WriteStream;
  #drawn = false;
  #status = "";
  #ticking: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  get columns(): number {
    return this.#stream.columns > 0 ? this.#stream.columns : 80;
  }

  draw(text: string): void {
    // A line as wide as the terminal would wrap, and then only its second half could be drawn over.
    this.#stream.write(`\r\u001b[2K${text.slice(0, this.columns - 1)}`);
    this.#drawn = true;
  }

  /** Shows what goes on. One that ends in “…” waits for something: after a while it shows for how long. */
  status(text: string): void {
    if (text === this.#status) return;
    this.endStatus();
    this.#status = text;
    const sinceMs = performance.now();
    const tick = (): void => {
      const seconds = Math.floor((performance.now() - sinceMs) / 1000);
      this.draw(text.endsWith("…") && seconds >= 2 ? `${text} ${formatDuration(seconds)}` : text);
    };
    tick();
    this.#ticking = setInterval(tick, TICK_MS).unref();
  }

  endStatus(): void {
    if (this.#status === "") return;
    clearInterval(this.#ticking);
    this.#status = "";
    this.erase();
  }

  erase(): void {
    if (this.#drawn) this.#stream.write("\r\u001b[2K");
    this.#drawn = false;
  }

  /** Leaves what is drawn where it is and goes on below. */
  keep(): void {
    if (this.#drawn) this.#stream.write("\n");
    this.#drawn = false;
  }

  /** Writes whole lines; a status that is shown goes on below them, a bar comes back when it is drawn again. */
  above(text: string): void {
    const status = this.#status;
    this.endStatus();
    this.erase();
    this.#stream.write(`${text}\n`);
    if (status !== "") this.status(status);
  }
}
