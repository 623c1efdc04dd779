/**
 * A power cut on the running kernel: what was synced is there, what was not is gone, and the image
 * goes on as if nothing had been.
 */
import { basename } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pattern, patternOffset, patternTag } from "../../model/include/pattern.ts";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { checkpoint } from "./checkpoint.ts";
import { type MountedImage, openImage } from "./image.ts";
import { KernelSubject } from "./kernel-subject.ts";
import { machineLacks } from "../system/machine.ts";
import { loopsOf } from "../workers/traces-left.ts";
import { cutPower, survivesPowerCut } from "./power-cut.ts";
import type { ExpectedFile } from "./same-on-disk.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const LENGTH = 100_000;
const write: Operation = { op: "pwrite", pos: 0, len: LENGTH, readable: LENGTH };

/** A file of one write; `written` is what became of its blocks. */
function kept(subject: KernelSubject, ...after: Operation[]): ExpectedFile {
  subject.begin();
  const list = [write, ...after];
  const looks = list.map((operation, index) => subject.step(operation, index));
  const { i_size, map } = looks.at(-1)!;
  const bytes = pattern(patternTag(0)).subarray(patternOffset(LENGTH));
  const readExpected = (pos: number, len: number): Uint8Array => bytes.slice(pos, pos + len);
  return { ...subject.keep(), i_size, map, warnsAtUnmount: false, readExpected };
}

function cut(image: MountedImage, ...files: ExpectedFile[]): string[] {
  const messages: string[] = [];
  cutPower(image, files, () => (kind, message) => messages.push(`${kind}: ${message}`));
  return messages;
}

describe.skipIf(lacks !== undefined)("after a power cut", () => {
  let image: MountedImage;
  let subject: KernelSubject;

  const open = async (name: string): Promise<void> => {
    image = await openImage(variantNamed(name));
    subject = new KernelSubject(image);
  };

  beforeEach(() => open("4k-delalloc"));

  afterEach(() => {
    subject.release();
    image.close();
  });

  test("what was synced is there", async () => {
    const files = [1, 2, 3].map(() => kept(subject, { op: "fsync" }));
    expect(cut(image, ...files)).toEqual([]);
  });

  test("what was not is gone, and it is said of which file", async () => {
    const synced = kept(subject, { op: "fsync" });
    const lost = kept(subject);
    expect(cut(image, synced)).toEqual([]);
    const messages = cut(image, lost);
    expect(messages.join("\n")).toMatch(/^contents: after a power cut: cannot be opened/);
  });

  test("data without its transaction is gone: sync_file_range commits nothing", async () => {
    const file = kept(subject, { op: "sync_file_range", pos: 0, len: LENGTH });
    expect(cut(image, file).join("\n")).toMatch(/^contents: after a power cut/);
  });

  test("the image goes on, and nothing of the cut is left", async () => {
    const file = kept(subject, { op: "fsync" });
    cut(image, file);
    expect(loopsOf(process.pid)).toEqual([basename(image.loopDevice)]);
    const another = kept(subject, { op: "fsync" });
    subject.release();
    expect(await checkpoint(image, [file, another], true)).toEqual([]);
  });

  test("a file system without a journal promises nothing, and one that journals data as much", async () => {
    subject.release();
    image.close();
    await open("4k-nojournal");
    expect(survivesPowerCut(image)).toBe(false);
    subject.release();
    image.close();
    await open("4k-data-journal");
    expect(survivesPowerCut(image)).toBe(true);
    expect(cut(image, kept(subject, { op: "fsync" }))).toEqual([]);
  });
});
