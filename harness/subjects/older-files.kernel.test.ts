/**
 * Files that are older than the mount's options: what ext4 does with them is of both.
 */
import { readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { DdSubject } from "./dd-subject.ts";
import { openImage } from "./image.ts";
import type { MountedImage } from "./image.ts";
import { KernelSubject } from "./kernel-subject.ts";
import { machineLacks } from "../system/machine.ts";
import { mountedWith } from "./mount.ts";
import { OLDER_FILES } from "./older-files.ts";

const lacks = machineLacks();

const write: Operation = { op: "pwrite", pos: 0, len: 4096, readable: 4096 };
const store: Operation = { op: "mmap_write", pos: 8192, len: 4096 };

describe.skipIf(lacks !== undefined)(`older files ${lacks?.message ?? ""}`, () => {
  let image: MountedImage;

  beforeEach(async () => {
    image = await openImage(variantNamed("4k-remounted"));
  });

  afterEach(() => image.close());

  test("a write allocates unwritten blocks at once, a store delays", () => {
    expect(mountedWith(image.mountPoint)).not.toContain("nodelalloc");
    const subject = new KernelSubject(image);
    subject.begin();
    expect(subject.step(write, 0).map).toEqual([{ lblk: 0, len: 1, state: "unwritten" }]);
    subject.step({ op: "ftruncate", size: 12_288 }, 1);
    expect(subject.step(store, 2).map).toEqual([
      { lblk: 0, len: 1, state: "unwritten" },
      { lblk: 2, len: 1, state: "delayed" },
    ]);
    subject.release();
  });

  test("what takes the place of an unlinked file, and the other file, are older too", () => {
    const subject = new KernelSubject(image);
    const operations: Operation[] = [write, { op: "unlink" }, write, { ...write, file: 1 }];
    subject.begin(operations);
    const states = operations.map((operation, i) => subject.step(operation, i).map);
    for (const i of [0, 2, 3]) expect(states[i]?.map(({ state }) => state)).toEqual(["unwritten"]);
    subject.release();
  });

  test("programs get them as well", () => {
    const subject = new DdSubject(image);
    subject.begin();
    expect(subject.step(write, 0).map).toEqual([{ lblk: 0, len: 1, state: "unwritten" }]);
    subject.release();
  });

  test("a case finds as many as it takes, however many were taken before", () => {
    const subject = new KernelSubject(image);
    const mounts = image.mounts;
    for (let i = 0; i <= OLDER_FILES; i++) subject.begin();
    expect(image.mounts).toBe(mounts + 1);
    const operations: Operation[] = Array.from({ length: OLDER_FILES }, () => ({ op: "unlink" }));
    subject.begin(operations);
    for (const [i, operation] of operations.entries()) {
      expect(subject.step(operation, i).result).toBe(0);
    }
    expect(subject.step(write, operations.length).map[0]?.state).toBe("unwritten");
    subject.release();
  });

  test("those that nobody took are gone with the mount", () => {
    const subject = new KernelSubject(image);
    subject.begin();
    const { path } = subject.keep();
    subject.release();
    image.unmount();
    expect(readdirSync(image.mountPoint)).toEqual([]);
    image.mount();
    const names = readdirSync(image.mountPoint).filter((name) => name !== "lost+found");
    expect(names).toHaveLength(OLDER_FILES + 1);
    expect(names).toContain(path.split("/").at(-1));
  });
});
