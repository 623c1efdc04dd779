import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmdirSync,
} from "node:fs";
import { tmpdir, version } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { variantNamed } from "../under-test/variants.ts";
import { openImage } from "./image.ts";
import { KernelSubject } from "./kernel-subject.ts";
import { machineLacks } from "../system/machine.ts";
import { LOCK_EX, syscalls } from "../system/syscalls.ts";
import { probeKernel } from "./probe.ts";
import { asItDelays, writePathOf } from "./write-path.ts";

const lacks = machineLacks();
if (lacks !== undefined) console.warn(`SKIP: ${lacks.message}`);

describe.skipIf(lacks !== undefined)("which path a write takes", () => {
  test.each(["4k-delalloc", "4k-nodelalloc", "4k-data-journal"])(
    "%s: the trace tells, and nothing stays behind",
    async (name) => {
      const { bufferedIomap } = await probeKernel();
      const before = readdirSync(tmpdir()).length;
      const image = await openImage(variantNamed(name));
      try {
        const path = writePathOf(image);
        // Without the option of the series there is but one path; with it, mounting without it
        // chooses that one.
        expect([path, bufferedIomap]).toEqual(["buffer_head", bufferedIomap]);
      } finally {
        image.close();
      }
      expect(readdirSync(tmpdir()).length).toBeLessThanOrEqual(before);
    },
  );

  test("trace buffers of killed processes go, whoever left them; those in use stay", async () => {
    // All mounts of it show the same buffers.
    const point = mkdtempSync(join(tmpdir(), "ext4-conform-test-"));
    execFileSync("mount", ["-t", "tracefs", "tracefs", point]);
    const root = join(point, "instances");
    const [left, used] = ["left", "used"].map((name) => join(root, `ext4-conform-test-${name}`));
    for (const one of [left!, used!]) mkdirSync(one);
    const holder = openSync(used!, constants.O_RDONLY | constants.O_DIRECTORY);
    expect(syscalls().flock(holder, LOCK_EX)).toBe(0);
    const image = await openImage(variantNamed("4k-delalloc"));
    try {
      writePathOf(image);
      expect([existsSync(left!), existsSync(used!)]).toEqual([false, true]);
    } finally {
      image.close();
      closeSync(holder);
      for (const one of [left!, used!]) if (existsSync(one)) rmdirSync(one);
      execFileSync("umount", [point]);
      rmdirSync(point);
    }
  });

  test.each(["4k-full", "4k-delalloc", "4k-nodelalloc"])(
    "%s: writes are delayed as the model is told",
    async (name) => {
      const image = await openImage(variantNamed(name));
      try {
        const subject = new KernelSubject(image);
        subject.begin();
        const written = { op: "pwrite", pos: 0, len: 16384, readable: 16384 } as const;
        const { reserved } = subject.step(written, 0);
        subject.release();
        const delays = reserved > 0;
        // A kernel with SMP has a watermark above what is left free.
        const watermark = version().includes(" SMP ");
        expect(delays).toBe(name === "4k-delalloc" || (name === "4k-full" && !watermark));
        expect(asItDelays(image).delalloc).toBe(delays);
      } finally {
        image.close();
      }
    },
  );
});
