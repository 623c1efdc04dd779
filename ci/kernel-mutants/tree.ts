/**
 * A copy of a kernel's tree whose files may be changed, and building it. Objects stay between
 * builds, so that a change takes seconds.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { buildKernel, cacheFolder } from "../../harness/kernel-build/build.ts";
import { copyTree, kernelTree } from "../../harness/kernel-build/source.ts";
import { applyMutant } from "./apply.ts";
import type { Edit } from "./apply.ts";

export class ChangedTree {
  readonly #path: string;
  readonly #original: string;

  private constructor(path: string, original: string) {
    this.#path = path;
    this.#original = original;
  }

  /**
   * A copy of `source`, kept in the cache under `name`. `files` are those that may have been
   * changed in it: a process that was killed may have left objects newer than what they should be
   * made of. Throws UsageError where there is no tree.
   */
  static async of(source: string, name: string, files: readonly string[]): Promise<ChangedTree> {
    const original = kernelTree(source);
    const path = join(cacheFolder(), name);
    await copyTree(original, path);
    const tree = new ChangedTree(path, original);
    for (const file of new Set(files)) tree.#write(file, tree.#read(file));
    return tree;
  }

  #read(file: string): string {
    return readFileSync(join(this.#original, file), "utf8");
  }

  /** Never through the link, which the user's file is at the other end of. */
  #write(file: string, text: string): void {
    rmSync(join(this.#path, file));
    writeFileSync(join(this.#path, file), text);
  }

  /** Make these changes to the files as they were. Throws MutantError where one has no place. */
  change(edits: readonly Edit[]): void {
    for (const file of new Set(edits.map((edit) => edit.file))) {
      const here = edits.filter((edit) => edit.file === file);
      this.#write(
        file,
        here.reduce((text, edit) => applyMutant(text, edit), this.#read(file)),
      );
    }
  }

  restore(edits: readonly Edit[]): void {
    for (const { file } of edits) this.#write(file, this.#read(file));
  }

  /** Build a user-mode Linux. Throws BuildError, EnvironmentError. */
  async build(out: string): Promise<void> {
    const options = { patches: [], configs: [], coverage: false, jobs: availableParallelism() };
    await buildKernel({ ...options, tree: this.#path, arch: "um", out });
  }
}
