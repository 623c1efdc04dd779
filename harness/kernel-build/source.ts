/**
 * The tree that a kernel is built from. The user's is only ever read: objects go elsewhere (`make
 * O=`), and where the tree must be changed, because patches are to go on it or because it was built
 * in place, a copy of hard links is.
 *
 * Source: the top Makefile of the kernel (outputmakefile refuses a tree with .config,
 *         include/config or generated headers in it). A hard link shares the file: what replaces
 *         the copy's, as git apply and rm do, leaves the user's alone.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { UsageError } from "../case/failure.ts";
import { BuildError } from "./build-error.ts";
import { run } from "../system/process.ts";

/** Throws UsageError where there is no kernel's source in `source`. Its absolute path. */
export function kernelTree(source: string): string {
  const tree = resolve(source);
  for (const part of ["Makefile", "Kbuild", "fs/ext4", "arch"]) {
    if (existsSync(join(tree, part))) continue;
    throw new UsageError(`${source} is no kernel source: it has no ${part}`);
  }
  return tree;
}

/** Whether `make O=` takes the tree as it is. */
function isClean(tree: string): boolean {
  const built = [".config", "include/config", ...generatedFolders(tree)];
  return built.every((part) => !existsSync(join(tree, part)));
}

function generatedFolders(tree: string): string[] {
  return readdirSync(join(tree, "arch"))
    .filter((name) => statSync(join(tree, "arch", name)).isDirectory())
    .map((name) => `arch/${name}/include/generated`);
}

/** The patches in a folder, by name, or the one file. Throws UsageError. */
export function patchFiles(patches: string): string[] {
  const stats = statSync(patches, { throwIfNoEntry: false });
  if (stats === undefined) throw new UsageError(`there are no patches at ${patches}`);
  if (!stats.isDirectory()) return [resolve(patches)];
  const names = readdirSync(patches).filter((name) => /\.(?:patch|diff|mbox|mbx|eml)$/.test(name));
  if (names.length === 0) throw new UsageError(`there is no .patch, .diff or .mbox in ${patches}`);
  return names.toSorted().map((name) => resolve(patches, name));
}

async function must(program: string, args: readonly string[], failure: string): Promise<void> {
  const { exitCode, complaint } = await run(program, args);
  if (exitCode !== 0) throw new BuildError(`${failure}: ${complaint}`);
}

/**
 * A copy of the tree in place of what is at `copy`: of hard links where the file systems allow it,
 * as they do not for another's files.
 */
export async function copyTree(tree: string, copy: string): Promise<void> {
  rmSync(copy, { recursive: true, force: true });
  const linked = await run("cp", ["-al", "--", tree, copy]);
  if (linked.exitCode === 0) return;
  rmSync(copy, { recursive: true, force: true });
  await must("cp", ["-a", "--reflink=auto", "--", tree, copy], `${tree} cannot be copied`);
}

/** A mailbox in its messages; a patch without a mail's head is one message. */
async function messagesOf(file: string, folder: string): Promise<string[]> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const split = await run("git", ["mailsplit", `-o${folder}`, "--", file]);
  const messages = readdirSync(folder).toSorted();
  return split.exitCode === 0 && messages.length > 0
    ? messages.map((m) => join(folder, m))
    : [file];
}

async function applyPatches(
  tree: string,
  files: readonly string[],
  scratch: string,
): Promise<void> {
  for (const file of files) {
    for (const [index, message] of (await messagesOf(file, scratch)).entries()) {
      const args = ["-C", tree, "apply", "--whitespace=nowarn", message];
      const { exitCode, stderr } = await run("git", args);
      if (exitCode === 0) continue;
      const [first = "", second = ""] = stderr.split("\n");
      throw new BuildError(
        `${file}, patch ${index + 1}, does not apply: ${first.replace(/^error: /, "")}; ${second.replace(/^error: /, "")}`,
      );
    }
  }
}

/**
 * A tree that can be built with `make O=`: the user's own, or a copy in `cache` with the patches.
 * Throws BuildError where a patch does not apply.
 */
export async function treeToBuild(
  tree: string,
  patches: readonly string[],
  cache: string,
): Promise<string> {
  if (patches.length === 0 && isClean(tree)) return tree;
  const copy = join(cache, "tree");
  await copyTree(tree, copy);
  // Removes what a build left, in the copy alone.
  if (!isClean(copy))
    await must("make", ["-C", copy, "-s", "mrproper"], "make mrproper failed in the copy");
  await applyPatches(copy, patches, join(cache, "messages"));
  return copy;
}
