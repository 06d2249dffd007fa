/**
 * A pack's bytes wherever they are: a file, or a download in progress, where `read` waits until the pieces are there and verified.
 * `read` gives exactly `length` bytes or raises; reads may overlap and come in any order; nothing is cached on the caller's behalf. A read that waits
 * raises E_INTERRUPTED once `signal` is aborted, and what it waited for is not fetched on its behalf any more. Bytes are put into `into`, which is `length` long,
 * by who can; others pass over it. Once the read has succeeded it is the caller's again.
 */
export interface PackSource {
  /** Pack length in bytes, known from the link. */
  readonly length: number;
  /** What `read` gives is the reader's own, with the memory that it lies in. */
  readonly givesAway?: boolean;
  read(offset: number, length: number, signal?: AbortSignal, into?: Buffer): Promise<Buffer>;
}
