/**
 * Checkpoint: what must be true once nothing is in flight, for many files at once, since its price
 * is that of a few processes. Unmount; check the file system; compare what is on disk with what is
 * expected; mount; compare what the kernel reads back; look into its log.
 *
 * Not compared: where on disk the blocks are, how extents of one state are split, and with it how
 * many blocks the extent tree takes; those are checked against each other only.
 */
import { closeSync, openSync, unlinkSync } from "node:fs";
import { basename } from "node:path";
import { EnvironmentError } from "../case/failure.ts";
import { ExtentReader } from "../system/fiemap.ts";
import type { MountedImage } from "./image.ts";
import { cachestat } from "../system/page-cache.ts";
import { checkImage } from "./e2fsck.ts";
import { EXT4_ROOT_INO, type OnDisk, type OnDiskFile, readOnDisk } from "./on-disk.ts";
import { cutPower, survivesPowerCut } from "./power-cut.ts";
import { SECTOR, compareMounted, compareOnDisk } from "./same-on-disk.ts";
import type { ExpectedFile, Finding, Report } from "./same-on-disk.ts";

/**
 * Blocks in use beyond those of the fresh file system must be those of the files and of the root
 * directory's growth.
 */
function compareFreeBlocks(image: MountedImage, onDisk: OnDisk, report: Report): void {
  const { blockSize } = image.variant;
  let sectors = -image.fresh.rootBlocks;
  for (const { st_blocks } of onDisk.files.values()) sectors += st_blocks;
  const expected = image.fresh.freeBlocks - (sectors * SECTOR) / blockSize;
  if (onDisk.freeBlocks !== expected) {
    report("free-blocks", `on disk ${onDisk.freeBlocks} blocks are free, expected ${expected}`);
  }
}

/** fs/ext4/inode.c ext4_evict_inode() */
const WARNING_AT_UNMOUNT = /ext4_evict_inode\S* inode #(\d+):.* data will be lost/;

/**
 * Somebody has reclaimed pages of the file: what was tagged dirty in them is forgotten, and
 * unmounting says nothing of it.
 */
function isReclaimed({ path }: ExpectedFile): boolean {
  const fd = openSync(path, "r");
  try {
    const stat = cachestat(fd);
    return typeof stat !== "number" && stat.evicted > 0;
  } finally {
    closeSync(fd);
  }
}

/**
 * Every file warns at unmount as expected, but for those that may be silent, and nothing else is
 * said; `complete`: nothing that was said is missing.
 */
function compareKernelLog(
  alarms: readonly string[],
  complete: boolean,
  files: readonly ExpectedFile[],
  maybeSilent: ReadonlySet<ExpectedFile>,
  reportOn: (path: string | undefined) => Report,
): void {
  const warned = new Map<number, string>();
  for (const line of alarms) {
    const ino = WARNING_AT_UNMOUNT.exec(line)?.[1];
    if (ino === undefined) reportOn(undefined)("kernel-log", line);
    else warned.set(Number(ino), line);
  }
  for (const file of files) {
    const { path, ino, warnsAtUnmount } = file;
    const line = warned.get(ino);
    warned.delete(ino);
    if (line !== undefined && warnsAtUnmount === false) reportOn(path)("kernel-log", line);
    if (line === undefined && warnsAtUnmount === true && complete && !maybeSilent.has(file)) {
      reportOn(path)("silence", "no warning at unmount that data of the file will be lost");
    }
  }
  for (const line of warned.values()) reportOn(undefined)("kernel-log", line);
}

/** Returns false where the kernel does not mount its own file system again. */
function mountAgain(image: MountedImage, report: Report): boolean {
  try {
    image.mount();
    return true;
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    report("mount", error.message);
    return false;
  }
}

/**
 * Checks an image and every file on it, then removes the files. Nothing may be open on it and no
 * other file may be on it (the free blocks could not be accounted for). `cut`: look first at what a
 * power cut now would leave. `saw` is told of each file on disk. Findings are values; it throws only where the machine fails us.
 */
export async function checkpoint(
  image: MountedImage,
  files: readonly ExpectedFile[],
  cut = false,
  saw?: (file: OnDiskFile) => void,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const reportOn =
    (path: string | undefined): Report =>
    (kind, message) =>
      findings.push({ kind, path, message });
  const report = reportOn(undefined);
  const bytesPerBlock = image.variant.blockSize;

  if (cut && survivesPowerCut(image)) {
    const synced = files.filter(({ unsynced }) => unsynced === undefined);
    cutPower(image, synced, reportOn);
  }
  // A page that is clean but for its tag is reclaimed like any other, by DAMON also where memory is
  // plenty (seen on 6.18.44).
  const warning = files.filter(({ warnsAtUnmount }) => warnsAtUnmount === true);
  const maybeSilent = new Set(warning.filter(isReclaimed));
  image.unmount();
  const { kernelLog } = image;
  const device = basename(image.loopDevice);
  // At once: what others on this machine cause meanwhile soon fills the ring.
  const alarms = kernelLog?.alarms(device) ?? [];
  const complete = kernelLog?.hasGap === false;
  const reading = readOnDisk(image.imageFile, [EXT4_ROOT_INO, ...files.map(({ ino }) => ino)]);
  const [complaints, onDisk] = await Promise.all([checkImage(image.imageFile, reading), reading]);
  // debugfs(8) dumps extents, and there complains of every inode.
  const read = image.superblock.features.has("extent") ? onDisk.complaints : [];
  for (const line of [...complaints, ...read]) report("inconsistent", line);
  for (const file of files) {
    const disk = onDisk.files.get(file.ino);
    if (disk === undefined) reportOn(file.path)("inconsistent", `no inode ${file.ino} on disk`);
    else {
      saw?.(disk);
      compareOnDisk(file, disk, bytesPerBlock, reportOn(file.path));
    }
  }
  compareFreeBlocks(image, onDisk, report);

  if (mountAgain(image, report)) {
    const reader = new ExtentReader(bytesPerBlock);
    for (const file of files) {
      const disk = onDisk.files.get(file.ino);
      compareMounted(file, disk, reader, bytesPerBlock, reportOn(file.path));
    }
    for (const { path } of files) unlinkSync(path);
  }
  if (kernelLog !== undefined) {
    alarms.push(...kernelLog.alarms(device));
    compareKernelLog(alarms, complete, files, maybeSilent, reportOn);
  }
  return findings;
}
