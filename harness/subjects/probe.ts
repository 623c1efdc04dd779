/**
 * What this kernel does, found out by trying: never by its version, since kernels under test are
 * patched.
 */
import { closeSync, openSync } from "node:fs";
import { arch, release } from "node:os";
import { basename } from "node:path";
import { EINVAL } from "../../model/include/errno.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import { witnessOf } from "../lockstep/deviations.ts";
import { EnvironmentError } from "../case/failure.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { BUFFERED_IOMAP } from "../../images/variants.ts";
import type { Variant } from "../case/variant.ts";
import { inLargeFolio } from "../system/folio-size.ts";
import { type MountedImage, openImage } from "./image.ts";
import { KernelSubject } from "./kernel-subject.ts";
import { mountExt4, mountOptions } from "./mount.ts";

const probeVariant: Variant = {
  name: "probe",
  purpose: "asks the kernel what it can do",
  blockSize: 4096,
  delalloc: true,
  journal: "ordered",
  dioread: "nolock",
  imageSize: 16 * 2 ** 20,
  mkfsOptions: [],
  mountOptions: [],
  byDefault: false,
};

/**
 * Blocks that a write of eight, of which one byte more than the first is readable, leaves reserved
 * in a small-folio kernel.
 */
const BLOCKS_COPIED = 2;

/**
 * Whether page 1 of a file made by these operations lies in a large folio; undefined where the
 * kernel does not tell.
 */
function secondPageIsLarge(
  subject: KernelSubject,
  operations: readonly Operation[],
): boolean | undefined {
  subject.begin();
  for (const [index, operation] of operations.entries()) subject.step(operation, index);
  const { path } = subject.keep();
  const fd = openSync(path, "r");
  try {
    return inLargeFolio(fd, 4096);
  } finally {
    closeSync(fd);
  }
}

function probeLargeFolios(subject: KernelSubject): boolean {
  const large = secondPageIsLarge(subject, [{ op: "pwrite", pos: 0, len: 32768, readable: 32768 }]);
  if (large !== undefined) return large;
  // Second best, since it takes a kernel that leaves what a short write reserved in a folio that
  // holds more.
  subject.begin();
  const { reserved } = subject.step({ op: "pwrite", pos: 0, len: 32768, readable: 4097 }, 0);
  subject.end();
  return reserved > BLOCKS_COPIED;
}

const smallBlocks: Variant = { ...probeVariant, blockSize: 1024 };

/** What the file looks like after these operations. */
function after(subject: KernelSubject, operations: readonly Operation[]): Observation {
  subject.begin();
  const seen = operations.map((operation, index) => subject.step(operation, index));
  return seen.at(-1)!;
}

/**
 * A block behind EOF, in the page that holds EOF, survives a punch that is cut off at its block. A
 * punch of all that a small file has frees its block where the end is rounded up.
 */
function probePunch(subject: KernelSubject): KernelTraits["punchesTo"] {
  const past = after(subject, [
    { op: "pwrite", pos: 0, len: 512, readable: 512 },
    { op: "fallocate", mode: "keep_size", pos: 0, len: 4096 },
    { op: "fallocate", mode: "punch_hole", pos: 0, len: 8192 },
  ]);
  if (past.map.length === 0) return "page";
  const at = after(subject, [
    { op: "pwrite", pos: 0, len: 512, readable: 512 },
    { op: "fallocate", mode: "punch_hole", pos: 0, len: 512 },
  ]);
  return at.map.length === 0 ? "block-at-eof" : "block";
}

/**
 * Zeroing after the write zeroes the head of its block too, and puts that block's page on the list
 * of what a commit writes. A later commit then takes the dirt off that page while it lies past EOF,
 * and its blocks stay delayed when it does no longer. In a kernel that faults in first, the write
 * that should end short at the page does not come to it: such kernels are older.
 */
function probeZeroesGap(subject: KernelSubject): KernelTraits["zeroesGap"] {
  const { map } = after(subject, [
    { op: "pwrite", pos: 4608, len: 4096, readable: 4096 },
    { op: "ftruncate", size: 512 },
    { op: "pwrite", pos: 0, len: 8192, readable: 4096 },
    { op: "fsync" },
    { op: "pwrite", pos: 8192, len: 1024, readable: 1024 },
    { op: "fsync" },
  ]);
  const second = map.find(({ lblk, len }) => lblk <= 4 && 4 < lblk + len);
  return second?.state === "written" ? "before" : "after";
}

/** A read that ends at EOF, on a sector, and asks for a byte more. */
function probeDirectRead(subject: KernelSubject): KernelTraits["directAligns"] {
  const { result } = after(subject, [
    { op: "pwrite", pos: 0, len: 1024, readable: 1024 },
    { op: "fsync" },
    { op: "direct_read", pos: 0, len: 1025 },
  ]);
  return result === EINVAL ? "request" : "mapping";
}

/**
 * What a kernel is taken to do that does not mount the image it would be asked on: as the latest
 * do.
 */
const UNTOLD = {
  cacheIoctl: true,
  cachestat: true,
  kernelLog: true,
  largeFolios: false,
  prefaultFirst: false,
  punchesTo: "block-at-eof",
  zeroesGap: "before",
  directAligns: "mapping",
  atUnmount: [],
  bufferedIomap: false,
} satisfies Partial<KernelTraits>;

/** Mounts that a kernel must refuse before it is believed. */
const REFUSALS = 3;

/**
 * What `probe` finds out; nothing where ext4 does not mount its image, which the run will say of
 * its own.
 */
async function unlessRefused(
  probe: () => Promise<Partial<KernelTraits>>,
): Promise<Partial<KernelTraits>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await probe();
    } catch (error) {
      if (!(error instanceof EnvironmentError && error.reason === "ext4-refused")) throw error;
      // What is taken for untold decides what the model expects everywhere: once is not enough.
      if (attempt === REFUSALS) return {};
    }
  }
}

/** What shows where blocks are smaller than a page, on an image of its own. */
async function probeSmallBlocks(): Promise<Partial<KernelTraits>> {
  const image = await openImage(smallBlocks);
  try {
    const subject = new KernelSubject(image);
    const traits = {
      punchesTo: probePunch(subject),
      zeroesGap: probeZeroesGap(subject),
      directAligns: probeDirectRead(subject),
    };
    subject.release();
    return traits;
  } finally {
    image.close();
  }
}

/**
 * Known deviations whose witness makes the kernel warn at unmount. The image is mounted again
 * afterwards.
 */
function probeUnmount(image: MountedImage, subject: KernelSubject): string[] {
  const atUnmount = knownDeviations.filter(({ visible }) => visible === "unmount");
  return atUnmount
    .filter((deviation) => {
      subject.begin();
      const witness = witnessOf(deviation);
      const dirty = witness.map((operation, index) => subject.step(operation, index).pages?.dirty);
      // What is to be lost counts as dirty, though it was synced, whether or not the log can be
      // read.
      if ((dirty.at(-1) ?? 0) > 0) return true;
      subject.keep();
      subject.release();
      image.kernelLog?.alarms(basename(image.loopDevice));
      image.remount();
      const alarms = image.kernelLog?.alarms(basename(image.loopDevice)) ?? [];
      return alarms.some((line) => line.includes("data will be lost"));
    })
    .map(({ id }) => id);
}

function probeMountOption(image: MountedImage, option: string): boolean {
  image.unmount();
  try {
    const options = [...mountOptions(image.variant), option];
    mountExt4(image.loopDevice, image.mountPoint, options);
    return true;
  } catch (error) {
    if (error instanceof EnvironmentError && error.reason === "mount-refused") return false;
    throw error;
  }
}

/** What shows where blocks are as large as a page. */
async function probeLargeBlocks(): Promise<Partial<KernelTraits>> {
  const image = await openImage(probeVariant);
  try {
    const subject = new KernelSubject(image);
    subject.begin();
    const faulted = subject.step({ op: "pwrite", pos: 0, len: 4096, readable: 0 }, 0);
    subject.end();
    // A write that asks for a large one may be given small ones. A run that was told so by mistake
    // differs wherever a write is cut.
    const largeFolios = [1, 2, 3].some(() => probeLargeFolios(subject));
    const atUnmount = probeUnmount(image, subject);
    subject.release();
    return {
      cacheIoctl: faulted.cache !== undefined,
      cachestat: faulted.pages !== undefined,
      kernelLog: image.kernelLog !== undefined,
      largeFolios,
      prefaultFirst: faulted.reserved === 0,
      atUnmount,
      bufferedIomap: probeMountOption(image, BUFFERED_IOMAP),
    };
  } finally {
    image.close();
  }
}

/**
 * Probes the running kernel on small images of its own: about 0.2 s. Throws EnvironmentError where
 * this machine cannot.
 */
export async function probeKernel(): Promise<KernelTraits> {
  return {
    release: release(),
    machine: arch(),
    ...UNTOLD,
    ...(await unlessRefused(probeSmallBlocks)),
    ...(await unlessRefused(probeLargeBlocks)),
  };
}
