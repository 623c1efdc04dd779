/**
 * A file system that is damaged behind the kernel's back: what it will not say is a finding, with
 * what it says of it in its log.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openImage } from "../subjects/image.ts";
import type { MountedImage } from "../subjects/image.ts";
import { KernelSubject } from "../subjects/kernel-subject.ts";
import { machineLacks } from "../system/machine.ts";
import { runSync } from "../system/process.ts";
import { keptMemory, mustSucceed, syscalls } from "../system/syscalls.ts";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { runListening } from "./listening.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const BLKFLSBUF = 0x1261;
const EXT4_IOC_CHECKPOINT = 0x4004662b;
const EXT4_IOC_CLEAR_ES_CACHE = 0x6628;

/** An ioctl on what lies at `path`; of a number where the call takes the address of one. */
function ioctl(path: string, request: number, value?: number): void {
  const { address, buffer } = keptMemory(8);
  new Uint32Array(buffer)[0] = value ?? 0;
  const fd = openSync(path, "r");
  try {
    mustSucceed(syscalls().ioctl(fd, request, value === undefined ? 0 : address), path);
  } finally {
    closeSync(fd);
  }
}

describe.skipIf(lacks !== undefined)("a damaged file system", () => {
  let image: MountedImage;
  let subject: KernelSubject;

  beforeEach(async () => {
    image = await openImage(variantNamed("4k-delalloc"));
    subject = new KernelSubject(image);
  });

  afterEach(() => {
    subject.release();
    image.close();
  });

  /**
   * Overwrite the block of the extent tree of the only file, on the disk, and have the kernel
   * forget what it knows of it.
   */
  function damage(): void {
    const [name = ""] = runSync("ls", [image.mountPoint])
      .stdout.split("\n")
      .filter((one) => one !== "lost+found");
    const file = join(image.mountPoint, name);
    ioctl(file, EXT4_IOC_CHECKPOINT, 0);
    const { stdout } = runSync("debugfs", ["-R", `dump_extents /${name}`, image.imageFile]);
    const block = Number(/^ *0\/ *1 +\d+\/ *\d+ +\d+ - +\d+ +(\d+)/m.exec(stdout)?.[1]);
    const fd = openSync(image.imageFile, "r+");
    writeSync(fd, Buffer.alloc(4096, 0xee), 0, 4096, block * 4096);
    closeSync(fd);
    ioctl(image.loopDevice, BLKFLSBUF);
    ioctl(file, EXT4_IOC_CLEAR_ES_CACHE);
  }

  test("is a finding where the kernel does not say which blocks a file has", () => {
    const writes = [0, 1, 2, 3, 4, 5].map((i): Operation => ({
      op: "pwrite",
      pos: i * 8192,
      len: 4096,
      readable: 4096,
    }));
    const operations: Operation[] = [...writes, { op: "fsync" }, { op: "pread", pos: 0, len: 1 }];
    const { divergence } = runListening(image, undefined, subject, operations, {
      variant: "4k-delalloc",
      blockSize: 4096,
      onObservation: (_, step) => {
        if (step === writes.length) damage();
      },
    });
    expect(divergence).toMatchObject({
      kind: "kernel-log",
      step: writes.length + 1,
      message: "FS_IOC_FIEMAP failed with -117 EUCLEAN",
    });
    expect(divergence?.evidence?.join("\n")).toMatch(/EXT4-fs error .*extent/);
  });
});
