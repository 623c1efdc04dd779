/**
 * A power cut: the image as it is at this moment, with what is still in flight lost, mounted again.
 * The kernel replays the journal; then every file must be what it was when its fsync returned.
 *
 * The image file holds every write that the loop device completed, in the order in which it did (it
 * is in memory, so that nothing is in between). What ext4, the journal and the block device's own
 * cache have not written yet is not in it. The file under test is synced and nobody writes while it
 * is copied, but for the flusher threads, which write in the background after 30 s.
 *
 * Not compared: free blocks, and what files there are besides (a file whose removal was not
 * committed is there again).
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
} from "node:fs";
import { basename, join } from "node:path";
import { dataRanges } from "../case/extents.ts";
import { EnvironmentError } from "../case/failure.ts";
import type { CutFile, CutLook } from "../case/observation.ts";
import { ExtentReader } from "../system/fiemap.ts";
import type { MountedImage } from "./image.ts";
import { KernelLog } from "../system/kernel-log.ts";
import { LoopDevice } from "./loop.ts";
import { mountExt4, mountOptions, unmount } from "./mount.ts";
import { checkImageSync } from "./e2fsck.ts";
import { readOnDiskSync } from "./on-disk.ts";
import { runSync } from "../system/process.ts";
import { compareMounted, compareOnDisk } from "./same-on-disk.ts";
import type { ExpectedFile, Report } from "./same-on-disk.ts";

interface Copy {
  file: string;
  device: string;
  mountPoint: string;
  /** What the kernel has complained of since. */
  alarms: () => string[];
}

/**
 * Whether what a file system promises survives a power cut, as far as a mount can look: without a
 * journal nothing is promised of it as a whole, and with mmp a mount waits a minute for another
 * machine and complains of it.
 */
export function survivesPowerCut({ variant, superblock }: MountedImage): boolean {
  return variant.journal !== "none" && !superblock.features.has("mmp");
}

/**
 * Whether the model can say what is left (model/ext4/power-cut.ts): the journal has what is known
 * of a file and not its data, and tells how often it has committed.
 */
export function cutCanBeFollowed(image: MountedImage): boolean {
  const { journal } = image.variant;
  return survivesPowerCut(image) && journal === "ordered" && existsSync(journalInfo(image));
}

function journalInfo({ loopDevice }: MountedImage): string {
  return `/proc/fs/jbd2/${basename(loopDevice)}-8/info`;
}

/**
 * Transactions that the journal of a mounted image has committed since the mount: the first number
 * of /proc/fs/jbd2/<device>-8/info. The kernel puts them together when the file is opened
 * (fs/jbd2/journal.c jbd2_seq_info_open()), so it is opened for each look.
 */
export function commitsOf(image: MountedImage): number {
  const text = readFileSync(journalInfo(image), "latin1");
  const commits = /^(\d+) transactions/.exec(text)?.[1];
  if (commits !== undefined) return Number(commits);
  throw new EnvironmentError(
    "process-failed",
    `the journal's statistics are not understood: ${text.split("\n")[0]}`,
    "Run with --power-cuts 0 on this kernel.",
  );
}

/** The image as it is at this moment, on a loop device of its own, for as long as `use` runs. */
function withCopy<T>(image: MountedImage, use: (copy: Copy) => T): T {
  const scratch = image.place.makeFile("cut");
  const file = scratch.path;
  const mountPoint = join(image.directory, "cut-mnt");
  mkdirSync(mountPoint, { recursive: true });
  let log: KernelLog | undefined;
  let device: LoopDevice | undefined;
  try {
    const { exitCode, complaint } = runSync("cp", ["--sparse=always", "--", image.imageFile, file]);
    if (exitCode !== 0) {
      throw new EnvironmentError(
        "no-space",
        `${image.imageFile} cannot be copied: ${complaint}`,
        "Free some memory: an image of a power cut is made beside the image.",
      );
    }
    const { directory } = image;
    const { path } = (device = LoopDevice.attach(file, { directory }));
    // Not before: what was said of the device until then is another run's, which had it.
    log = KernelLog.open();
    const alarms = (): string[] => log?.alarms(basename(path)) ?? [];
    return use({ file, device: path, mountPoint, alarms });
  } finally {
    log?.close();
    device?.close();
    scratch.remove();
  }
}

/**
 * Mounts the copy. What ext4 says of it where it refuses to, which is a finding; throws
 * EnvironmentError where the machine cannot mount.
 */
function mountCopy({ variant }: MountedImage, { device, mountPoint }: Copy): string | undefined {
  try {
    mountExt4(device, mountPoint, mountOptions(variant));
    return undefined;
  } catch (error) {
    if (error instanceof EnvironmentError && error.reason === "ext4-refused") return error.message;
    throw error;
  }
}

/**
 * Mounts the copy, so that the journal is replayed, and reads the files. False where it cannot be
 * mounted.
 */
function recover(
  image: MountedImage,
  copy: Copy,
  files: readonly ExpectedFile[],
  reportOn: (path: string | undefined) => Report,
): boolean {
  const { variant } = image;
  const { mountPoint } = copy;
  const refused = mountCopy(image, copy);
  if (refused !== undefined) {
    reportOn(undefined)("mount", refused);
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

/**
 * Cut the power of the image, which goes on, and look at what is left of the files, which were
 * synced.
 */
export function cutPower(
  image: MountedImage,
  files: readonly ExpectedFile[],
  reportOn: (path: string | undefined) => Report,
): void {
  const after = (path: string | undefined): Report => {
    const report = reportOn(path);
    return (kind, message) => report(kind, `after a power cut: ${message}`);
  };
  withCopy(image, (copy) => {
    if (!recover(image, copy, files, after)) return;
    const inodes = files.map(({ ino }) => ino);
    const onDisk = readOnDiskSync(copy.file, inodes);
    const report = after(undefined);
    for (const line of [...checkImageSync(copy.file), ...onDisk.complaints]) {
      report("inconsistent", line);
    }
    for (const file of files) {
      const disk = onDisk.files.get(file.ino);
      if (disk === undefined) after(file.path)("inconsistent", `no inode ${file.ino} on disk`);
      else compareOnDisk(file, disk, image.variant.blockSize, after(file.path));
    }
    for (const line of copy.alarms()) report("kernel-log", line);
  });
}

/** What the kernel shows of a file that is mounted; undefined where there is no such file. */
function lookAt(path: string, blockSize: number): CutFile | undefined {
  if (!existsSync(path)) return undefined;
  const fd = openSync(path, "r");
  try {
    const map = new ExtentReader(blockSize).map(fd);
    if (typeof map === "number") throw new Error(`FIEMAP failed with errno ${-map}`);
    const { size: i_size } = fstatSync(fd);
    const parts = dataRanges({ i_size, map }, blockSize).map(({ pos, end }) => {
      const bytes = Buffer.alloc(end - pos);
      return bytes.subarray(0, readSync(fd, bytes, 0, end - pos, pos));
    });
    return { i_size, map: [...map], bytes: new Uint8Array(Buffer.concat(parts)) };
  } finally {
    closeSync(fd);
  }
}

/** Cut the power of the image, which goes on, and look at what is left of one file. */
export function lookAfterCut(image: MountedImage, path: string): Omit<CutLook, "commits"> {
  return withCopy(image, (copy) => {
    const { file, mountPoint, alarms } = copy;
    const complaints: string[] = [];
    let left: CutFile | undefined;
    const refused = mountCopy(image, copy);
    if (refused !== undefined) return { file: undefined, complaints: [refused] };
    try {
      left = lookAt(join(mountPoint, basename(path)), image.variant.blockSize);
    } catch (error) {
      complaints.push(`the file cannot be read: ${(error as Error).message}`);
    } finally {
      unmount(mountPoint);
    }
    complaints.push(...checkImageSync(file), ...alarms());
    return { file: left, complaints };
  });
}
