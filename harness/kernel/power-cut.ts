/**
 * A power cut: the image as it is at this moment, with what is still in flight lost, mounted again. The kernel replays the journal;
 * then every file must be what it was when its fsync returned.
 *
 * The image file holds every write that the loop device completed, in the order in which it did (it is in memory, so that nothing is
 * in between). What ext4, the journal and the block device's own cache have not written yet is not in it. The file under test is
 * synced and nobody writes while it is copied, but for the flusher threads, which write in the background after 30 s.
 *
 * Not compared: free blocks, and what files there are besides (a file whose removal was not committed is there again).
 */
import { mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { EnvironmentError } from "../failure.ts";
import { ExtentReader } from "./fiemap.ts";
import type { MountedImage } from "./image.ts";
import { KernelLog } from "./kernel-log.ts";
import { attachLoop, detachLoop } from "./loop.ts";
import { mountExt4, mountOptions, unmount } from "./mount.ts";
import { checkImage, readOnDisk } from "./on-disk.ts";
import { run } from "./process.ts";
import { compareMounted, compareOnDisk } from "./same-on-disk.ts";
import type { ExpectedFile, Report } from "./same-on-disk.ts";

/** Whether what a file system promises survives a power cut: without a journal nothing is promised of it as a whole. */
export function survivesPowerCut({ variant }: MountedImage): boolean {
  return variant.journal !== "none";
}

async function copyImage(from: string, to: string): Promise<void> {
  const { exitCode, complaint } = await run("cp", ["--sparse=always", "--", from, to]);
  if (exitCode === 0) return;
  throw new EnvironmentError(
    "no-space",
    `${from} cannot be copied: ${complaint}`,
    "Free some memory: an image of a power cut is made beside the image.",
  );
}

/** Mounts the copy, so that the journal is replayed, and reads the files. False where it cannot be mounted. */
function recover(
  { variant }: MountedImage,
  device: string,
  mountPoint: string,
  files: readonly ExpectedFile[],
  reportOn: (path: string | undefined) => Report,
): boolean {
  try {
    mountExt4(device, mountPoint, mountOptions(variant));
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    reportOn(undefined)("mount", error.message);
    return false;
  }
  try {
    const reader = new ExtentReader(variant.blockSize);
    for (const file of files) {
      const path = join(mountPoint, basename(file.path));
      const report = reportOn(file.path);
      const unknown = (pos: number, len: number): { start: number; end: number }[] => [
        ...(file.unknown?.(pos, len) ?? []),
        ...(file.unknownAfterCut?.(pos, len) ?? []),
      ];
      compareMounted({ ...file, path, unknown }, undefined, reader, variant.blockSize, report);
    }
  } finally {
    unmount(mountPoint);
  }
  return true;
}

/** Cut the power of the image, which goes on, and look at what is left of the files, which were synced. */
export async function cutPower(
  image: MountedImage,
  files: readonly ExpectedFile[],
  reportOn: (path: string | undefined) => Report,
): Promise<void> {
  const after = (path: string | undefined): Report => {
    const report = reportOn(path);
    return (kind, message) => report(kind, `after a power cut: ${message}`);
  };
  const copy = join(image.directory, "cut");
  const mountPoint = join(image.directory, "cut-mnt");
  mkdirSync(mountPoint, { recursive: true });
  await copyImage(image.imageFile, copy);
  const log = KernelLog.open();
  const device = attachLoop(copy);
  try {
    if (!recover(image, device, mountPoint, files, after)) return;
    const [complaints, onDisk] = await Promise.all([
      checkImage(copy),
      readOnDisk(
        copy,
        files.map(({ ino }) => ino),
      ),
    ]);
    const report = after(undefined);
    for (const line of [...complaints, ...onDisk.complaints]) report("inconsistent", line);
    for (const file of files) {
      const disk = onDisk.files.get(file.ino);
      if (disk === undefined) after(file.path)("inconsistent", `no inode ${file.ino} on disk`);
      else compareOnDisk(file, disk, image.variant.blockSize, after(file.path));
    }
    for (const line of log?.alarms(basename(device)) ?? []) report("kernel-log", line);
  } finally {
    log?.close();
    detachLoop(device);
    rmSync(copy, { force: true });
  }
}
