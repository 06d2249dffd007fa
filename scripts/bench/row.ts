/** One line of the benchmark's table. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Of ours to the partner's in the same run: 1 is parity, above 1 ours takes more. */
  readonly ratio?: number;
}
