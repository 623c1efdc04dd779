/**
 * Workplace: where an image lies, is mounted and is copied. A tmpfs of this process's own, which
 * nobody else sees or can fill, and which the kernel frees when the process is gone, however that
 * ended.
 *
 * A tmpfs file is its own page cache, so an image there costs no I/O. Where memory is short, the
 * files lie on a disk: made, opened and unlinked at once, so that they too are gone with the
 * process, and named by their descriptors.
 */
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  unlinkSync,
} from "node:fs";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EnvironmentError } from "../case/failure.ts";
import { makeWorkDirectory, removeWorkDirectory } from "./leftovers.ts";
import { unmountAll } from "./mount.ts";
import { enterOwnMounts } from "../system/own-mounts.ts";
import { mustSucceed, syscalls } from "../system/syscalls.ts";

/** Bytes that must stay free beside the image: scratch files, and room for others. */
const MARGIN_BYTES = 64 * 2 ** 20;

/** Bytes of the tmpfs where the image does not lie on it. */
const SMALL_BYTES = 16 * 2 ** 20;

/** A file in a workplace. */
export interface WorkFile {
  /** Names it for as long as it is not removed, for this process and others. */
  path: string;
  remove(): void;
}

function numberIn(file: string): number | undefined {
  try {
    const value = Number(readFileSync(file, "latin1").trim());
    return Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Limit and use of a container's memory, as its control group tells it
 * (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst).
 */
const LIMITS = [
  ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"],
  ["/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"],
] as const;

/** Bytes of memory that can be had without taking any from others. */
export function availableMemory(): number {
  const text = readFileSync("/proc/meminfo", "latin1");
  const available = Number(/^MemAvailable: +(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
  const left = LIMITS.map(([limit, use]) => (numberIn(limit) ?? Infinity) - (numberIn(use) ?? 0));
  return Math.min(available, ...left);
}

/** Bytes that may be written in a folder; 0 where it cannot be asked. */
function roomIn(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

/** A folder on a disk with so much room; undefined where there is none. */
function diskWith(bytes: number): string | undefined {
  return [tmpdir(), "/var/tmp"].find((folder) => roomIn(folder) >= bytes);
}

/** The name of a file of this process's: "ext4-conform-4711-image". */
export function fileNamed(name: string): string {
  return `ext4-conform-${process.pid}-${name}`;
}

export class Workplace {
  /** Holds everything below; nobody else's. */
  readonly directory: string;
  /** Where its files lie, if not in its directory. */
  readonly #disk: string | undefined;
  /** Of the files there, which live as long as these are open. */
  readonly #open = new Set<number>();

  private constructor(directory: string, disk: string | undefined) {
    this.directory = directory;
    this.#disk = disk;
  }

  /**
   * Make one for an image of `bytes`, and a copy of it. Throws EnvironmentError where there is no
   * room, or nothing may be mounted.
   */
  static open(bytes: number): Workplace {
    const needed = bytes + MARGIN_BYTES;
    const inMemory = availableMemory() >= needed;
    const disk = inMemory ? undefined : diskWith(needed);
    if (!inMemory && disk === undefined) {
      throw new EnvironmentError(
        "no-space",
        `neither memory nor ${tmpdir()} nor /var/tmp has ${Math.ceil(needed / 2 ** 20)} MiB free`,
        "Free some, or set TMPDIR to a directory that has it.",
      );
    }
    enterOwnMounts();
    const directory = makeWorkDirectory();
    const size = inMemory ? 2 * bytes + MARGIN_BYTES : SMALL_BYTES;
    const result = syscalls().mount(
      "ext4-conform",
      directory,
      "tmpfs",
      0,
      `size=${size},mode=0700`,
    );
    if (result < 0) removeWorkDirectory(directory);
    mustSucceed(result, `mount of a tmpfs of ${size} bytes on ${directory}`);
    return new Workplace(directory, disk);
  }

  /** Make an empty file. Who looks at loop devices from elsewhere sees whose it is by its name. */
  makeFile(name: string): WorkFile {
    const path = join(this.#disk ?? this.directory, fileNamed(name));
    if (this.#disk === undefined) {
      closeSync(openSync(path, "wx", 0o600));
      return { path, remove: () => rmSync(path, { force: true }) };
    }
    const unnamed = `${path}.${randomUUID()}`;
    const fd = openSync(unnamed, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    unlinkSync(unnamed);
    this.#open.add(fd);
    return { path: `/proc/${process.pid}/fd/${fd}`, remove: () => this.#close(fd) };
  }

  /** Whether its files lie on a disk, which others can fill. */
  get isOnDisk(): boolean {
    return this.#disk !== undefined;
  }

  /**
   * Unmounts and removes everything, at any price: what is still open leaves the tree now and ends
   * with the process.
   */
  remove(): void {
    unmountAll(this.directory);
    removeWorkDirectory(this.directory);
    for (const fd of this.#open) this.#close(fd);
  }

  #close(fd: number): void {
    if (this.#open.delete(fd)) closeSync(fd);
  }
}
