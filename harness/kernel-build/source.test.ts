/**
 * On a small tree: what makes a tree of the kernel's is that it has the kernel's files.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../case/failure.ts";
import { BuildError } from "./build-error.ts";
import { kernelTree, patchFiles, treeToBuild } from "./source.ts";

let folder = "";
let tree = "";

function write(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "conform-source-"));
  tree = join(folder, "linux");
  // Its mrproper removes what a build leaves, as the kernel's does.
  write("linux/Makefile", "mrproper:\n\trm -f .config\n");
  write("linux/Kbuild", "");
  write("linux/fs/ext4/inode.c", "one\ntwo\nthree\n");
  write("linux/fs/ext4/file.c", "alpha\n");
  write("linux/arch/um/Makefile", "");
  mkdirSync(join(folder, "cache"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A patch of fs/ext4/inode.c. */
function patch(from: string, to: string): string {
  return [
    "--- a/fs/ext4/inode.c",
    "+++ b/fs/ext4/inode.c",
    "@@ -1,3 +1,3 @@",
    " one",
    `-${from}`,
    `+${to}`,
    " three",
    "",
  ].join("\n");
}

/** A mail with a patch in it. */
function mail(subject: string, body: string): string {
  const head = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001";
  return `${head}\nFrom: A <a@example.org>\nSubject: ${subject}\n\nWhy.\n---\n${body}-- \n2.39\n\n`;
}

const inode = (where: string): string => readFileSync(join(where, "fs/ext4/inode.c"), "utf8");

describe("the tree to build", () => {
  test("is the user's own where nothing is to be changed", async () => {
    expect(await treeToBuild(tree, [], join(folder, "cache"))).toBe(tree);
  });

  test("a folder that is no kernel tree is refused, with what it lacks", () => {
    expect(() => kernelTree(folder)).toThrow(UsageError);
    expect(() => kernelTree(folder)).toThrow(/has no Makefile/);
  });

  test("with patches it is a copy, and the user's is left alone", async () => {
    const files = [
      write("patches/1.patch", patch("two", "2")),
      write("patches/2.diff", patch("2", "II")),
    ];
    const before = statSync(join(tree, "fs/ext4/inode.c"));
    const made = await treeToBuild(tree, files, join(folder, "cache"));
    expect(made).not.toBe(tree);
    expect(inode(made)).toBe("one\nII\nthree\n");
    expect(inode(tree)).toBe("one\ntwo\nthree\n");
    expect(statSync(join(tree, "fs/ext4/inode.c")).mtimeMs).toBe(before.mtimeMs);
    // What no patch touches keeps its time, so that nothing is built again for it.
    const untouched = "fs/ext4/file.c";
    expect(statSync(join(made, untouched)).mtimeMs).toBe(statSync(join(tree, untouched)).mtimeMs);
  });

  test("a mailbox is applied mail by mail", async () => {
    const box = write(
      "all.mbox",
      mail("[1/2] a", patch("two", "2")) + mail("[2/2] b", patch("2", "II")),
    );
    expect(inode(await treeToBuild(tree, [box], join(folder, "cache")))).toBe("one\nII\nthree\n");
  });

  test("what was built in place is not in the way, and stays where it was", async () => {
    const config = write("linux/.config", "CONFIG_X=y\n");
    const made = await treeToBuild(tree, [], join(folder, "cache"));
    expect(made).not.toBe(tree);
    expect(() => statSync(join(made, ".config"))).toThrow(/ENOENT/);
    expect(readFileSync(config, "utf8")).toBe("CONFIG_X=y\n");
  });

  test("a patch that does not fit is named, with its place", async () => {
    const good = write("patches/1.patch", patch("two", "2"));
    const bad = write("patches/2.patch", patch("zwei", "2"));
    const made = treeToBuild(tree, [good, bad], join(folder, "cache"));
    await expect(made).rejects.toThrow(BuildError);
    await expect(made).rejects.toThrow(/2\.patch, patch 1, does not apply: .*fs\/ext4\/inode\.c/);
  });
});

describe("the patches", () => {
  test("of a folder come in the order of their names", () => {
    for (const name of ["0010-c.patch", "0002-b.patch", "0001-a.patch", "notes.txt"])
      write(`p/${name}`, "");
    const names = patchFiles(join(folder, "p")).map((file) => file.split("/").at(-1));
    expect(names).toEqual(["0001-a.patch", "0002-b.patch", "0010-c.patch"]);
  });

  test("that are not there, or none, are refused", () => {
    expect(() => patchFiles(join(folder, "none"))).toThrow(/there are no patches at/);
    expect(() => patchFiles(tree)).toThrow(/no \.patch/);
  });
});
