/**
 * Thin devices on the running kernel: what has no room is refused, and only that, and nothing stays
 * behind.
 */
import { closeSync, openSync, existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Operation } from "../operations/operation.ts";
import { EIO } from "../../model/include/errno.ts";
import { variantNamed } from "../under-test/variants.ts";
import { type MountedImage, openImage } from "./image.ts";
import { KernelSubject } from "./kernel-subject.ts";
import { sweepLeftovers } from "./leftovers.ts";
import { machineLacks } from "../system/machine.ts";
import { mountsBelow } from "./mount.ts";
import { isRefusal } from "./thin.ts";

const lacks = machineLacks();
if (lacks !== undefined) console.warn(`SKIP: ${lacks.message}`);

const written: Operation = { op: "pwrite", pos: 0, len: 8192, readable: 8192 };
const starved: Operation = { op: "fsync", starved: true };
const fsync: Operation = { op: "fsync" };

describe.skipIf(lacks !== undefined)("a device that runs out of room", () => {
  let image: MountedImage;
  let subject: KernelSubject;

  beforeAll(async () => {
    image = await openImage(variantNamed("4k-thin"));
    subject = new KernelSubject(image);
  });

  afterAll(() => {
    subject.release();
    image.close();
  });

  const perform = (operations: readonly Operation[]) => {
    subject.begin();
    return operations.map((operation, index) => subject.step(operation, index));
  };

  test("refuses data for new blocks, which stay unwritten, and takes it for blocks that have room", () => {
    const more: Operation = { ...written, pos: 4096 };
    const seen = perform([written, fsync, more, starved, starved]);
    expect(seen.map(({ result }) => result)).toEqual([8192, 0, 8192, EIO, 0]);
    expect(seen.at(-1)!.map).toEqual([
      { lblk: 0, len: 2, state: "written" },
      { lblk: 2, len: 1, state: "unwritten" },
    ]);
  });

  test("gives the room back: blocks that were written, freed and committed are refused again", () => {
    const cut: Operation = { op: "ftruncate", size: 0 };
    const results = perform([written, fsync, cut, fsync, written, starved]).map((s) => s.result);
    expect(results.at(-1)).toBe(EIO);
  });

  test("has room again afterwards", () => {
    const [last] = perform([written, starved, { ...written, pos: 65536 }, fsync]).slice(-1);
    expect(last!.result).toBe(0);
    expect(last!.map.at(-1)).toEqual({ lblk: 16, len: 2, state: "written" });
  });

  test("the kernel says so, and nothing else", () => {
    image.kernelLog?.records();
    perform([written, starved]);
    const alarms = image.kernelLog?.alarms(basename(image.loopDevice)) ?? [];
    expect(alarms.filter((text) => !isRefusal(text))).toEqual([]);
    expect(alarms.length > 0).toBe(image.kernelLog !== undefined);
  });

  test("is not supported where there is room", async () => {
    const other = await openImage(variantNamed("4k-small"));
    try {
      expect(new KernelSubject(other).supports(starved)).toBe(false);
      expect(subject.supports(starved)).toBe(true);
    } finally {
      other.close();
    }
  });

  test("goes with its pool, even while files are open on it", async () => {
    const other = await openImage(variantNamed("4k-thin"));
    const { directory, mountPoint } = other;
    const fd = openSync(join(mountPoint, "open"), "wx");
    other.close();
    expect(mountsBelow(directory)).toEqual([]);
    expect(() => readdirSync(directory)).toThrow("ENOENT");
    closeSync(fd);
    sweepLeftovers();
    // Its device, which takes small requests only, is nobody's next one.
    expect(existsSync(`/sys/block/${basename(other.loopDevice)}`)).toBe(false);
  });
});
