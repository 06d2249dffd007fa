import path from "node:path";

/** Whether a path is another one, or lies below it. Both with all links resolved. */
export function isIn(inner: string, outer: string): boolean {
  const way = path.relative(outer, inner);
  return way === "" || (!way.startsWith(`..${path.sep}`) && way !== ".." && !path.isAbsolute(way));
}
