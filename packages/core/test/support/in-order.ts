/** The numbers from 0 on, `count` of them. */
export function inOrder(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
