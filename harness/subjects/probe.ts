/**
 * What this kernel does, found out by trying: never by its version, since kernels under test are
 * patched.
 */
import { closeSync, openSync } from "node:fs";
import { arch, release } from "node:os";
import { basename } from "node:path";
import { knownDeviations } from "../../model/deviations/index.ts";
import { changeNames } from "../../model/kernels/changes.ts";
import type { ChangeName } from "../../model/kernels/changes.ts";
import { kernels, NEWEST } from "../../model/kernels/kernels.ts";
import { witnessOf } from "../lockstep/deviations.ts";
import { EnvironmentError } from "../case/failure.ts";
import { shownChanges, toldBy } from "../under-test/kernel-probes.ts";
import type { Path } from "../under-test/kernel-probes.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { onIomap } from "../../images/variants.ts";
import type { Variant } from "../case/variant.ts";
import { inLargeFolio } from "../system/folio-size.ts";
import { type MountedImage, openImage } from "./image.ts";
import { KernelSubject } from "./kernel-subject.ts";

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

/** Mounts that a kernel must refuse before it is believed. */
const REFUSALS = 3;

/**
 * What `ask` finds out on an image of its own; undefined where ext4 does not mount that, which the
 * run will say of its own.
 */
async function onImage<T>(
  variant: Variant,
  ask: (subject: KernelSubject, image: MountedImage) => T,
): Promise<T | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const image = await openImage(variant);
      try {
        const subject = new KernelSubject(image);
        const found = ask(subject, image);
        subject.release();
        return found;
      } finally {
        image.close();
      }
    } catch (error) {
      if (!(error instanceof EnvironmentError && error.reason === "ext4-refused")) throw error;
      // What is taken for untold decides what the model expects everywhere: once is not enough.
      if (attempt === REFUSALS) return undefined;
    }
  }
}

/** What a kernel is taken to do that does not mount the image it would be asked on: as the latest. */
const LATEST = { buffer_head: kernels[NEWEST], iomap: kernels["series 7.4-dev"] };

/** The changes that the kernel shows by a path with blocks of this size. */
function changesOn(subject: KernelSubject, blockSize: 1024 | 4096, path: Path): ChangeName[] {
  const observe = (operations: readonly Operation[]): Observation[] => {
    subject.begin();
    return operations.map((operation, index) => subject.step(operation, index));
  };
  return shownChanges(observe, blockSize, path);
}

/** The same on an image of its own. */
async function changesBy(blockSize: 1024 | 4096, path: Path): Promise<ChangeName[]> {
  const variant = { ...probeVariant, blockSize };
  const mounted = path === "iomap" ? onIomap(variant) : variant;
  const shown = await onImage(mounted, (subject) => changesOn(subject, blockSize, path));
  const latest: readonly ChangeName[] = LATEST[path].changes;
  return shown ?? toldBy(blockSize, path).filter((name) => latest.includes(name));
}

/** What files on the path of the series show; undefined where the kernel has no such mount option. */
async function probeSeries(): Promise<ChangeName[] | undefined> {
  try {
    return [...(await changesBy(4096, "iomap")), ...(await changesBy(1024, "iomap"))];
  } catch (error) {
    if (error instanceof EnvironmentError && error.reason === "mount-refused") return undefined;
    throw error;
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

/** What shows where blocks are as large as a page. */
function probeLargeBlocks(subject: KernelSubject, image: MountedImage) {
  subject.begin();
  const faulted = subject.step({ op: "pwrite", pos: 0, len: 4096, readable: 0 }, 0);
  subject.end();
  // A write that asks for a large one may be given small ones. A run that was told so by mistake
  // differs wherever a write is cut.
  const largeFolios = [1, 2, 3].some(() => probeLargeFolios(subject));
  const changes = changesOn(subject, 4096, "buffer_head");
  return {
    cacheIoctl: faulted.cache !== undefined,
    cachestat: faulted.pages !== undefined,
    kernelLog: image.kernelLog !== undefined,
    changes: largeFolios ? [...changes, "large-folios" as const] : changes,
    atUnmount: probeUnmount(image, subject),
  };
}

/** What a kernel is taken to tell that does not mount the image it would be asked on. */
const UNTOLD: ReturnType<typeof probeLargeBlocks> = {
  cacheIoctl: true,
  cachestat: true,
  kernelLog: true,
  changes: toldBy(4096, "buffer_head"),
  atUnmount: [],
};

/**
 * Probes the running kernel on small images of its own: about 0.2 s. Throws EnvironmentError where
 * this machine cannot.
 */
export async function probeKernel(): Promise<KernelTraits> {
  const small = await changesBy(1024, "buffer_head");
  const traits = (await onImage(probeVariant, probeLargeBlocks)) ?? UNTOLD;
  const ofSeries = await probeSeries();
  const shown = [...small, ...traits.changes, ...(ofSeries ?? [])];
  return {
    release: release(),
    machine: arch(),
    ...traits,
    changes: changeNames.filter((name) => shown.includes(name)),
    bufferedIomap: ofSeries !== undefined,
  };
}
