declare module "postject" {
  /** Puts `resource` into the executable `file` under that name, and sets the mark that says so. Raises where the file is none. */
  export function inject(
    file: string,
    name: string,
    resource: Buffer,
    options: { readonly sentinelFuse: string },
  ): Promise<void>;
}
