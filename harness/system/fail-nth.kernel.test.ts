/**
 * Allocations that fail, on a kernel that offers it; elsewhere this is skipped.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENOMEM } from "../../model/include/errno.ts";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { failNth, triesAgain } from "./fail-nth.ts";
import { openImage } from "../subjects/image.ts";
import type { MountedImage } from "../subjects/image.ts";
import { KernelSubject } from "../subjects/kernel-subject.ts";
import { machineLacks } from "./machine.ts";

const lacks =
  machineLacks()?.message ??
  (failNth() === undefined ? "this kernel has no fault injection" : undefined);

/** More allocations than a write of a few pages makes. */
const MANY = 40;

describe.skipIf(lacks !== undefined)(`failing allocations ${lacks ?? ""}`, () => {
  let image: MountedImage;
  let subject: KernelSubject;

  beforeAll(async () => {
    image = await openImage(variantNamed("4k-delalloc"));
    subject = new KernelSubject(image);
  });

  afterAll(() => {
    subject.release();
    image.close();
  });

  test("a write ends where it lacked memory, and has reserved nothing behind that", () => {
    const ends = new Set<number>();
    for (let fail_nth = 1; fail_nth <= MANY; fail_nth++) {
      subject.begin();
      const write: Operation = { op: "pwrite", pos: 0, len: 4096, readable: 4096, fail_nth };
      const { result, reserved, i_size } = subject.step(write, 0);
      expect([ENOMEM, 4096]).toContain(result);
      expect(reserved).toBe(result === ENOMEM ? 0 : 1);
      expect(i_size).toBe(Math.max(0, result));
      ends.add(result);
    }
    expect(ends).toEqual(new Set([ENOMEM, 4096]));
  });

  test("nothing fails afterwards", () => {
    expect(Number(readFileSync("/proc/thread-self/fail-nth", "utf8"))).toBe(0);
  });
});

test("that writeback tries again is no finding, that ext4 gives up is one", () => {
  expect(
    triesAgain(
      "EXT4-fs (loop0): ext4_do_writepages: jbd2_start: 9223372036854775802 pages, ino 12; err -12",
    ),
  ).toBe(true);
  expect(triesAgain("EXT4-fs error (device loop0) in ext4_setattr:6253: Out of memory")).toBe(
    false,
  );
});
