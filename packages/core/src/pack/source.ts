/**
 * A pack's bytes wherever they are: a file, or a download in progress, where `read` waits until the pieces are there and verified.
 * `read` gives exactly `length` bytes or raises; reads may overlap and come in any order; nothing is cached on the caller's behalf.
 */
export interface PackSource {
  /** Pack length in bytes, known from the link. */
  readonly length: number;
  read(offset: number, length: number): Promise<Buffer>;
}
