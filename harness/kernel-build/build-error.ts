/**
 * The kernel does not build, or a patch does not apply: nobody's fault but the tree's. Exit status
 * 2.
 */
export class BuildError extends Error {
  override readonly name = "BuildError";
}
