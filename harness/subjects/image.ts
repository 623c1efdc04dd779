/**
 * A variant's file system, made and mounted: work directory, image file, loop device, mount.
 */
import { existsSync, mkdirSync, statfsSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { EnvironmentError } from "../case/failure.ts";
import { sleepSync } from "../system/sleep.ts";
import { isRemounted, leavesFree, mayFillUp } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import { sweepLeftovers } from "./leftovers.ts";
import { KernelLog } from "../system/kernel-log.ts";
import { LoopDevice } from "./loop.ts";
import { liftFileSize, machineLacks } from "../system/machine.ts";
import { makeImage } from "./mkfs.ts";
import { asMade, notModelled } from "./modelled.ts";
import { changeOptions, mountExt4, mountOptions, unmount } from "./mount.ts";
import { FEW_OLDER_FILES, OLDER_FILES, OlderFiles } from "./older-files.ts";
import { EXT4_ROOT_INO, readOnDisk } from "./on-disk.ts";
import { runSync } from "../system/process.ts";
import { processorsHere, withRoom } from "./reserve.ts";
import { readSuperblock } from "./superblock.ts";
import type { Superblock } from "./superblock.ts";
import type { Result } from "../system/syscalls.ts";
import { isLateRefusal, ThinPool, trimMounted } from "./thin.ts";
import { undoAtExit } from "../system/undo.ts";
import { Workplace } from "./workplace.ts";

export interface FreshImage {
  freeBlocks: number;
  /** st_blocks of the root directory, 512-byte units. */
  rootBlocks: number;
}

/** What a MountedImage is made of. */
interface MadeImage extends Pick<
  MountedImage,
  "variant" | "superblock" | "place" | "imageFile" | "pool" | "fresh"
> {
  device: LoopDevice;
}

/**
 * An ext4 of our own. Descriptors into it must be closed before `unmount`, `remount` and `close`.
 */
export class MountedImage {
  /** As it was made: with a journal where there is one. */
  readonly variant: Variant;
  readonly superblock: Superblock;
  /** Where all of it lies. */
  readonly place: Workplace;
  readonly mountPoint: string;
  readonly imageFile: string;
  /** What the image lies on where its device is thin. */
  readonly pool: ThinPool | undefined;
  /** "/sys/fs/ext4/loop0", there while mounted. */
  readonly sysfs: string;
  /** How often it was mounted: descriptors and counters of one mount mean nothing in the next. */
  mounts = 0;
  /** Of the fresh file system: what a checkpoint's accounting starts from. */
  readonly fresh: FreshImage;
  /** The kernel's log since just before the first mount; undefined where it may not be read. */
  readonly kernelLog: KernelLog | undefined;
  readonly #device: LoopDevice;
  readonly #remove: () => void;
  #mounted = false;
  /** Where its files are older than its mount options. */
  #olderFiles: OlderFiles | undefined;
  #closed = false;

  constructor(made: MadeImage, remove: () => void) {
    this.variant = made.variant;
    this.superblock = made.superblock;
    this.place = made.place;
    this.mountPoint = mountPointIn(made.place.directory);
    this.imageFile = made.imageFile;
    this.pool = made.pool;
    this.kernelLog = KernelLog.open(made.pool && isLateRefusal);
    this.#device = made.device;
    this.sysfs = `/sys/fs/ext4/${basename(made.device.path)}`;
    this.fresh = made.fresh;
    this.#remove = remove;
  }

  /** Holds everything of it; nobody else's. */
  get directory(): string {
    return this.place.directory;
  }

  /** "/dev/loop0" */
  get loopDevice(): string {
    return this.#device.path;
  }

  /** `files`: how many cases will make, where these must be there before they do. */
  mount(files = 0): void {
    this.#device.mustBeOurs();
    mountExt4(this.loopDevice, this.mountPoint, mountOptions(this.variant));
    this.#mounted = true;
    this.mounts++;
    if (isRemounted(this.variant)) {
      this.#olderFiles = new OlderFiles(this.mountPoint, Math.max(OLDER_FILES, files));
      changeOptions(this.mountPoint, ["delalloc"]);
    }
    // fs/ext4/sysfs.c: else the kernel drops all but ten warnings in five seconds, and each is
    // about another file.
    for (const kind of ["warning", "msg", "err"]) {
      setTunable(join(this.sysfs, `${kind}_ratelimit_interval_ms`), "0");
    }
    // Before anything is allocated: what a preallocation took is not given back.
    if (this.pool !== undefined) trimMounted(this.mountPoint);
  }

  unmount(): void {
    if (!this.#mounted) return;
    this.#olderFiles?.remove();
    unmount(this.mountPoint);
    this.#mounted = false;
    awaitGone(this.sysfs, this.loopDevice);
  }

  /**
   * What was cached is forgotten, what was delayed is allocated: all that is left is what is on
   * disk.
   */
  remount(files = 0): void {
    this.unmount();
    this.mount(files);
  }

  /**
   * Why the model does not follow this file system, so that the contract alone judges; undefined
   * where it does.
   */
  get notModelled(): string | undefined {
    return notModelled(this.variant, this.superblock);
  }

  /** What the contract must know of it. */
  get leeway(): { mayFillUp: boolean; filesEndEarly: boolean } {
    const { features } = this.superblock;
    const filesEndEarly = !features.has("huge_file") || !features.has("extent");
    return { mayFillUp: mayFillUp(this.variant), filesEndEarly };
  }

  /** Whether a case can have so many files. */
  hasFiles(count: number): boolean {
    return this.#olderFiles === undefined || this.#olderFiles.count >= count;
  }

  /** Whether it is time to mount it anew, between two chunks of cases. */
  get runsOutOfFiles(): boolean {
    return !this.hasFiles(FEW_OLDER_FILES);
  }

  /**
   * The descriptor of an empty file at `path` that is older than the mount's options, or -errno;
   * undefined where files are new.
   */
  takeFile(path: string): Result | undefined {
    return this.#olderFiles?.take(path);
  }

  /** Unmounts, detaches and removes everything. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.kernelLog?.close();
    this.#olderFiles?.release();
    this.#remove();
  }
}

/** Milliseconds that a file system may take to end once it is unmounted, and between two looks. */
const GONE_MS = 2000;
const LOOK_MS = 10;

/**
 * Wait until the kernel has let go of the file system. It does so within umount(2), unless somebody
 * has entered this process's mount namespace (nsenter(1)) and made another from there, which holds
 * a copy of the mount: then nothing of what is on the image can be trusted, however right it may
 * look.
 */
function awaitGone(sysfs: string, loopDevice: string): void {
  for (let waited = 0; existsSync(sysfs); waited += LOOK_MS) {
    if (waited >= GONE_MS) {
      throw new EnvironmentError(
        "process-failed",
        `the file system on ${loopDevice} goes on after umount: another mount namespace holds it`,
        "Make no mount namespace from within that of a run (nsenter).",
      );
    }
    sleepSync(LOOK_MS);
  }
}

function setTunable(file: string, value: string): void {
  try {
    writeFileSync(file, value);
  } catch (error) {
    throw new EnvironmentError(
      "process-failed",
      `${file} cannot be written (${(error as NodeJS.ErrnoException).code})`,
      "Mount sysfs on /sys, writable, or leave the restricted container.",
    );
  }
}

const mountPointIn = (directory: string): string => join(directory, "mnt");

/** Put a file on the file system that leaves so many blocks for others. */
function fill(variant: Variant, free: number, device: string, mountPoint: string): void {
  mountExt4(device, mountPoint, mountOptions(variant));
  try {
    const { bavail, bsize } = statfsSync(mountPoint);
    const length = (bavail - free) * bsize;
    const { exitCode, complaint } = runSync("fallocate", [
      "-l",
      String(length),
      join(mountPoint, "filler"),
    ]);
    if (exitCode === 0) return;
    throw new EnvironmentError(
      "process-failed",
      `fallocate of ${length} bytes failed: ${complaint}`,
      `Check the sizes of variant ${variant.name}: the file is to leave ${free} blocks.`,
    );
  } finally {
    unmount(mountPoint);
  }
}

let swept = false;

/** Make what an image is made of. What it has made when it throws, `undo` removes. */
async function make(
  asked: Variant,
  place: Workplace,
  undo: { device?: LoopDevice },
): Promise<MadeImage> {
  const { directory } = place;
  const { imageSize } = asked;
  mkdirSync(mountPointIn(directory));
  const pool = asked.preparation?.kind === "thin" ? ThinPool.make(directory, imageSize) : undefined;
  const imageFile = pool?.makeImageFile() ?? place.makeFile("image").path;
  await makeImage(asked, imageFile, place.isOnDisk);
  const superblock = readSuperblock(imageFile);
  const variant = asMade(asked, superblock);
  const requests = pool === undefined ? {} : { requestKib: pool.requestKib };
  const device = (undo.device = LoopDevice.attach(imageFile, { directory, ...requests }));
  pool?.prepare(imageSize);
  const free = leavesFree(variant);
  if (free !== undefined) fill(variant, free, device.path, mountPointIn(directory));
  const { freeBlocks, files } = await readOnDisk(imageFile, [EXT4_ROOT_INO]);
  const fresh = { freeBlocks, rootBlocks: files.get(EXT4_ROOT_INO)?.st_blocks ?? 0 };
  return { variant, superblock, place, imageFile, pool, device, fresh };
}

/**
 * Makes and mounts the file system of a variant. The first call of a process also removes what dead
 * runs left behind. Throws EnvironmentError where this machine cannot; nothing is left behind then.
 */
export async function openImage(wanted: Variant): Promise<MountedImage> {
  const lacking = machineLacks();
  if (lacking !== undefined) throw lacking;
  if (!swept) {
    liftFileSize();
    sweepLeftovers();
    swept = true;
  }
  const variant = withRoom(wanted, processorsHere());
  const place = Workplace.open(variant.imageSize);
  const made: { device?: LoopDevice } = {};
  const remove = undoAtExit(() => {
    place.remove();
    made.device?.close();
  });
  try {
    const image = new MountedImage(await make(variant, place, made), remove);
    image.mount();
    return image;
  } catch (error) {
    remove();
    throw error;
  }
}
