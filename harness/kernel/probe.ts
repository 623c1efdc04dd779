/**
 * What this kernel does, found out by trying: never by its version, since kernels under test are patched.
 */
import { closeSync, openSync } from "node:fs";
import { arch, release } from "node:os";
import { basename } from "node:path";
import { knownDeviations } from "../../model/deviations/index.ts";
import { witnessOf } from "../lockstep/deviations.ts";
import { EnvironmentError } from "../failure.ts";
import type { KernelTraits } from "../kernel-traits.ts";
import type { Operation } from "../operation.ts";
import { BUFFERED_IOMAP } from "../../images/variants.ts";
import type { Variant } from "../variant.ts";
import { inLargeFolio } from "./folio-size.ts";
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

/** Blocks that a write of eight, of which one byte more than the first is readable, leaves reserved in a small-folio kernel. */
const BLOCKS_COPIED = 2;

/** Whether page 1 of a file made by these operations lies in a large folio; undefined where the kernel does not tell. */
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
  // Second best, since it takes a kernel that leaves what a short write reserved in a folio that holds more.
  subject.begin();
  const { reserved } = subject.step({ op: "pwrite", pos: 0, len: 32768, readable: 4097 }, 0);
  subject.end();
  return reserved > BLOCKS_COPIED;
}

/**
 * Zeroing first brings in the page that holds EOF by itself, and then no large folio fits there. In a kernel without
 * large folios the order makes no difference that is compared.
 */
function probeZeroesGap(subject: KernelSubject): "before" | "after" {
  const large = secondPageIsLarge(subject, [
    { op: "ftruncate", size: 512 },
    { op: "pwrite", pos: 1024, len: 8192, readable: 8192 },
  ]);
  return large === false ? "before" : "after";
}

const smallBlocks: Variant = { ...probeVariant, blockSize: 1024 };

/** A block behind EOF, in the page that holds EOF, survives a punch that is cut off at its block. Asks an image of its own. */
async function probePunch(): Promise<"page" | "block"> {
  const image = await openImage(smallBlocks);
  try {
    const subject = new KernelSubject(image);
    subject.begin();
    subject.step({ op: "pwrite", pos: 0, len: 512, readable: 512 }, 0);
    subject.step({ op: "fallocate", mode: "keep_size", pos: 0, len: 4096 }, 1);
    const { map } = subject.step({ op: "fallocate", mode: "punch_hole", pos: 0, len: 8192 }, 2);
    subject.release();
    return map.length === 0 ? "page" : "block";
  } finally {
    image.close();
  }
}

/** Known deviations whose witness makes the kernel warn at unmount. The image is mounted again afterwards. */
function probeUnmount(image: MountedImage, subject: KernelSubject): string[] {
  const atUnmount = knownDeviations.filter(({ visible }) => visible === "unmount");
  return atUnmount
    .filter((deviation) => {
      subject.begin();
      for (const [index, operation] of witnessOf(deviation).entries()) {
        subject.step(operation, index);
      }
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

/** Probes the running kernel on small images of its own: about 0.2 s. Throws EnvironmentError where that cannot be mounted. */
export async function probeKernel(): Promise<KernelTraits> {
  const punchesTo = await probePunch();
  const image = await openImage(probeVariant);
  try {
    const subject = new KernelSubject(image);
    subject.begin();
    const faulted = subject.step({ op: "pwrite", pos: 0, len: 4096, readable: 0 }, 0);
    subject.end();
    const largeFolios = probeLargeFolios(subject);
    const zeroesGap = largeFolios ? probeZeroesGap(subject) : "after";
    const atUnmount = probeUnmount(image, subject);
    subject.release();
    return {
      release: release(),
      machine: arch(),
      cacheIoctl: faulted.cache !== undefined,
      kernelLog: image.kernelLog !== undefined,
      largeFolios,
      prefaultFirst: faulted.reserved === 0,
      zeroesGap,
      punchesTo,
      atUnmount,
      bufferedIomap: probeMountOption(image, BUFFERED_IOMAP),
    };
  } finally {
    image.close();
  }
}
