/** A module beside the one whose `import.meta.url` is given, with the same ending: `.ts` in the repository, `.js` in a release. */
export function besideModule(url: string, name: string): URL {
  return new URL(`${name}${url.slice(url.lastIndexOf("."))}`, url);
}
