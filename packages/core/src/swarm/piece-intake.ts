import type { PieceStore } from "../store/piece-store.ts";
import { Blame } from "./blame.ts";
import { PieceAssembly } from "./piece-assembly.ts";
import { PieceMemory } from "./piece-memory.ts";
import type { Block } from "./picker.ts";

/** Memory of stored pieces that is kept for the next ones. */
const KEPT_BYTES = 4 * 1024 * 1024;

export interface IntakeHooks<Sender> {
  onStored(piece: number): void;
  /** Its blocks do not lead to its hash; so many bytes came for nothing. */
  onBad(piece: number, bytes: number): void;
  /** It sent wrong blocks. */
  onLiar(sender: Sender): void;
  /** The store failed. */
  onFailed(error: unknown): void;
}

/** Pieces whose blocks are coming: hashed as they come, verified before they are stored, and laid to the charge of who sent them where they are bad. */
export class PieceIntake<Sender> {
  readonly #store: PieceStore;
  readonly #hooks: IntakeHooks<Sender>;
  readonly #assemblies = new Map<number, PieceAssembly<Sender>>();
  readonly #memory: PieceMemory;
  readonly #blame: Blame<Sender>;

  constructor(store: PieceStore, hooks: IntakeHooks<Sender>) {
    this.#store = store;
    this.#hooks = hooks;
    this.#memory = new PieceMemory(store.info.pieceLength, KEPT_BYTES);
    this.#blame = new Blame((sender) => hooks.onLiar(sender));
  }

  add({ piece, block }: Block, bytes: Buffer, sender: Sender): void {
    let assembly = this.#assemblies.get(piece);
    if (assembly === undefined) {
      assembly = new PieceAssembly(this.#store.info, piece, this.#memory.take());
      this.#assemblies.set(piece, assembly);
    }
    assembly.add(block, bytes, sender);
  }

  /** All of its blocks were added. `expected` is its hash in a piece layer that was checked. */
  finish(piece: number, expected: Uint8Array): void {
    const assembly = this.#assemblies.get(piece);
    if (assembly === undefined) return;
    this.#assemblies.delete(piece);
    const { bytes, memory, charge } = assembly;
    if (!assembly.verify(expected)) {
      this.#memory.giveBack(memory);
      this.#hooks.onBad(piece, bytes.length);
      this.#blame.bad(piece, charge);
      return;
    }
    this.#store.write(piece, bytes).then(
      () => {
        this.#memory.giveBack(memory);
        this.#hooks.onStored(piece);
      },
      (error: unknown) => this.#hooks.onFailed(error),
    );
    this.#blame.good(piece, charge);
  }

  /** They begin anew, or are not wanted any more. */
  drop(pieces: readonly number[]): void {
    for (const piece of pieces) {
      const assembly = this.#assemblies.get(piece);
      if (assembly !== undefined) this.#memory.giveBack(assembly.memory);
      this.#assemblies.delete(piece);
    }
  }

  clear(): void {
    this.#assemblies.clear();
    this.#memory.clear();
  }
}
