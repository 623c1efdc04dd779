import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { variants } from "../../images/variants.ts";
import { pattern, patternOffset, patternTag } from "../../model/include/pattern.ts";
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { checkpoint } from "./checkpoint.ts";
import type { ExpectedFile } from "./same-on-disk.ts";
import { type MountedImage, openImage } from "./image.ts";
import { KernelSubject } from "./kernel-subject.ts";
import { machineLacks } from "../system/machine.ts";
import { cachestat } from "../system/page-cache.ts";
import { runSync } from "../system/process.ts";
import * as sys from "../system/syscalls.ts";

const lacking = machineLacks();
const FAR = 2 ** 41;

/** Whole writes, further apart than any of them is long; operation number i writes pattern i. */
const WRITES = [
  { pos: 100, len: 5000 },
  { pos: 20_000, len: 1 },
  { pos: 65_536, len: 300_000 },
  { pos: FAR, len: 777 },
];

function expectedBytes(pos: number, len: number): Uint8Array {
  const bytes = new Uint8Array(len);
  WRITES.forEach((write, index) => {
    const start = Math.max(pos, write.pos);
    const end = Math.min(pos + len, write.pos + write.len);
    if (start >= end) return;
    const from = patternOffset(write.len) + start - write.pos;
    bytes.set(pattern(patternTag(index)).subarray(from, from + end - start), start - pos);
  });
  return bytes;
}

const OPERATIONS: Operation[] = [
  ...WRITES.map(({ pos, len }) => ({ op: "pwrite" as const, pos, len, readable: len })),
  { op: "fallocate", mode: "keep_size", pos: FAR + 8192, len: 100_000 },
  { op: "fallocate", mode: "allocate", pos: 2 ** 20, len: 300_000 },
  { op: "fsync" },
];

/**
 * Have the kernel reclaim the first page of a file, as it does where memory is short. Whether it
 * says so.
 */
function reclaim(path: string): boolean {
  const calls = sys.syscalls();
  const bytes = calls.getpagesize();
  const fd = sys.mustSucceed(calls.open(path, sys.O_RDWR, 0), "open");
  const flags = sys.MAP_SHARED | sys.MAP_POPULATE;
  const address = sys.mustSucceed(calls.mmap(0, bytes, sys.PROT_READ, flags, fd, 0), "mmap");
  sys.mustSucceed(calls.madvise(address, bytes, sys.MADV_PAGEOUT), "madvise");
  calls.munmap(address, bytes);
  const stat = cachestat(fd);
  calls.close(fd);
  return typeof stat !== "number" && stat.evicted > 0;
}

describe.skipIf(lacking).each(["4k-delalloc", "1k-nodelalloc", "4k-nojournal"])(
  `checkpoint ${lacking?.message ?? "%s"}`,
  (name) => {
    let image: MountedImage;
    let subject: KernelSubject;

    beforeEach(async () => {
      image = await openImage(variants.find((variant) => variant.name === name)!);
      subject = new KernelSubject(image);
    });

    afterEach(() => {
      subject.release();
      image.close();
    });

    function keepFile(): ExpectedFile {
      subject.begin();
      let seen: Observation | undefined;
      OPERATIONS.forEach((operation, index) => (seen = subject.step(operation, index)));
      const { i_size, map } = seen!;
      const kept = subject.keep();
      return { ...kept, i_size, map, warnsAtUnmount: false, readExpected: expectedBytes };
    }

    async function check(...files: ExpectedFile[]): Promise<{ kind: string; message: string }[]> {
      subject.release();
      const findings = await checkpoint(image, files);
      return findings.map(({ kind, message }) => ({ kind, message }));
    }

    test("what is as expected has no findings, twice on one image", async () => {
      expect(await check(...Array.from({ length: 40 }, keepFile))).toEqual([]);
      expect(await check(keepFile())).toEqual([]);
      expect(await check()).toEqual([]);
    });

    test("another size", async () => {
      const file = keepFile();
      expect(await check({ ...file, i_size: file.i_size - 1 })).toEqual([
        { kind: "size", message: `on disk i_size is ${FAR + 777}, expected ${FAR + 776}` },
        { kind: "contents", message: expect.stringContaining(`byte ${FAR + 776} `) as string },
      ]);
    });

    test("another state of a block", async () => {
      const file = keepFile();
      const [first, ...rest] = file.map;
      const findings = await check({ ...file, map: [{ ...first!, state: "unwritten" }, ...rest] });
      expect(findings.map(({ kind }) => kind)).toEqual(["map"]);
    });

    test.each([100, 20_000, 65_536 + 299_999, FAR])("another byte at %i", async (bad) => {
      const file = keepFile();
      const readExpected = (pos: number, len: number): Uint8Array => {
        const bytes = expectedBytes(pos, len);
        if (pos <= bad && bad < pos + len) bytes[bad - pos]! ^= 0xff;
        return bytes;
      };
      const findings = await check({ ...file, readExpected });
      expect(findings).toEqual([
        { kind: "contents", message: expect.stringContaining(`byte ${bad} `) as string },
      ]);
    });

    test("blocks that no expected file holds", async () => {
      const file = keepFile();
      writeFileSync(join(image.mountPoint, "stray"), "x");
      const free = await check(file);
      expect(free.map(({ kind }) => kind)).toEqual(["free-blocks"]);
    });

    test("a wrong block count on disk, which e2fsck sees too", async () => {
      const file = keepFile();
      subject.release();
      image.unmount();
      const command = `set_inode_field <${file.ino}> blocks 4242`;
      runSync("debugfs", ["-w", "-R", command, image.imageFile]);
      image.mount();
      const kinds = (await check(file)).map(({ kind }) => kind);
      expect(kinds).toEqual(expect.arrayContaining(["inconsistent", "blocks", "free-blocks"]));
    });

    test("a warning at unmount that should have come and did not", async () => {
      const file = keepFile();
      expect(await check({ ...file, warnsAtUnmount: true })).toEqual([
        { kind: "silence", message: expect.stringContaining("no warning") as string },
      ]);
    });

    test("none is missed of a file whose pages were reclaimed", async ({ skip }) => {
      const file = keepFile();
      skip(!reclaim(file.path), "this kernel does not tell what was reclaimed");
      expect(await check({ ...file, warnsAtUnmount: true })).toEqual([]);
    });

    test("a file that is not there", async () => {
      const file = keepFile();
      const findings = await check({ ...file, ino: 4000 });
      expect(findings.map(({ kind }) => kind)).toContain("inconsistent");
    });

    test("an error in the kernel's log about this device", async () => {
      const device = basename(image.loopDevice);
      // Without the newline the record could still be continued, and is not shown until another one
      // follows.
      writeFileSync(
        "/dev/kmsg",
        `<3>ext4-conform test: EXT4-fs error (device ${device}): not real\n`,
      );
      expect(await check()).toEqual([
        { kind: "kernel-log", message: expect.stringContaining("not real") as string },
      ]);
      expect(await check()).toEqual([]);
    });
  },
);
