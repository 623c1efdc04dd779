/**
 * A thin device: one that has room for what was written to it and can run out of space (ENOSPC), as
 * a volume of a thin pool does or a disk image on a full host. For blocks that hold data already it
 * goes on taking more.
 *
 * It needs no fault injection in the kernel under test and no device mapper: the image file is
 * sparse and lies on a tmpfs of its own, whose size limit is what runs out (mm/shmem.c
 * shmem_inode_acct_blocks()). A page that the image has is written as ever, a page that it has not
 * yet ends in ENOSPC, which the loop device passes on (drivers/block/loop.c lo_complete_rq()).
 *
 * So that only data is refused, all of a new image is given pages, and then those of free blocks
 * are taken away again, as `fstrim` does: superblock, bitmaps, inode tables and journal keep
 * theirs.
 *
 * A request for several pages of which only the first are there is written in part, and the loop
 * device takes that for the whole of it (6.16 and later). So its requests are of one page
 * (`max_sectors_kb`), and a block is no smaller: `thin` variants have 4 KiB blocks.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { PAGE_SIZE } from "../../model/include/types.ts";
import { EnvironmentError } from "../case/failure.ts";
import { runSync } from "../system/process.ts";
import { fileNamed } from "./workplace.ts";
import { MS_REMOUNT, keptMemory, mustSucceed, syscalls } from "../system/syscalls.ts";

/**
 * include/uapi/linux/fs.h FITRIM: struct fstrim_range has start, len and minlen, 64 bits each,
 * bytes.
 */
const FITRIM = 0xc0185879;

/** Bytes of the tmpfs beside the image, for what it keeps of its own. */
const MARGIN_BYTES = 2 ** 20;

/**
 * What the kernel says of data that a device refuses: the block layer (block/blk-mq.c
 * blk_print_req_error()), the buffers (fs/buffer.c buffer_io_error()), ext4 (fs/ext4/page-io.c
 * ext4_end_bio(), ext4_end_io_end()), the journal (fs/jbd2/commit.c).
 */
const REFUSAL =
  /(?:critical space allocation|I\/O) error, dev |Buffer I\/O error on device|ext4_end_bio|failed to convert unwritten extents|Detected IO errors -\d+ while flushing file data/;

/** Whether a text of the kernel's log says no more than that. */
export function isRefusal(text: string): boolean {
  return REFUSAL.test(text);
}

/**
 * Whether it may say so of data that was refused earlier: iomap's text (fs/iomap/ioend.c
 * iomap_finish_ioend_buffered()) has no end of line, so that the kernel keeps it back until it has
 * something else to say. The block layer's, which comes before it, does not wait.
 */
export function isLateRefusal(text: string): boolean {
  return text.includes(": writeback error on inode ");
}

/**
 * The tmpfs that the image file of a thin device lies on, alone, and whose size is the room that
 * there is.
 */
export class ThinPool {
  /** Its device takes requests page by page. */
  readonly requestKib = PAGE_SIZE / 1024;
  readonly #directory: string;
  readonly #bytes: number;

  private constructor(directory: string, bytes: number) {
    this.#directory = directory;
    this.#bytes = bytes;
  }

  /**
   * Make and mount one in the work directory `directory`, for an image of `imageSize` bytes.
   * Removing the directory unmounts it.
   */
  static make(directory: string, imageSize: number): ThinPool {
    const point = join(directory, "pool");
    mkdirSync(point);
    const bytes = imageSize + MARGIN_BYTES;
    const options = `size=${bytes},mode=0700,noswap`;
    const mount = (o: string) => runSync("mount", ["-t", "tmpfs", "-o", o, "tmpfs", point]);
    let mounted = mount(options);
    // noswap is new in 6.4; without it the pages could leave memory, and still be there.
    if (mounted.exitCode !== 0) mounted = mount(`size=${bytes},mode=0700`);
    if (mounted.exitCode === 0) return new ThinPool(point, bytes);
    throw new EnvironmentError(
      "mount-refused",
      `a tmpfs could not be mounted: ${mounted.complaint}`,
      "Run as root outside a restricted container, or leave out the thin variants.",
    );
  }

  /** Make the image file, empty; returns its path. */
  makeImageFile(): string {
    closeSync(openSync(this.#imageFile, "wx", 0o600));
    return this.#imageFile;
  }

  get #imageFile(): string {
    return join(this.#directory, fileNamed("image"));
  }

  /** Give the image file, which is made, all its pages. */
  prepare(imageSize: number): void {
    const { exitCode, complaint } = runSync("fallocate", [
      "-l",
      String(imageSize),
      this.#imageFile,
    ]);
    if (exitCode !== 0) {
      throw new EnvironmentError(
        "no-space",
        `fallocate of ${imageSize} bytes on a tmpfs failed: ${complaint}`,
        "Free some memory.",
      );
    }
  }

  /** Do `use` while there is room for no page more. */
  withoutRoom<T>(use: () => T): T {
    const { blocks, bfree, bsize } = statfsSync(this.#directory);
    this.#limit((blocks - bfree) * bsize);
    try {
      return use();
    } finally {
      this.#limit(this.#bytes);
    }
  }

  #limit(bytes: number): void {
    const result = syscalls().mount("tmpfs", this.#directory, "tmpfs", MS_REMOUNT, `size=${bytes}`);
    mustSucceed(result, `remount of ${this.#directory} with size=${bytes}`);
  }
}

let kept: { address: number; words: BigUint64Array } | undefined;

/** struct fstrim_range, for all calls: the kernel writes back into it how much it trimmed. */
function trimRange(): { address: number; words: BigUint64Array } {
  if (kept !== undefined) return kept;
  const { address, buffer } = keptMemory(24);
  return (kept = { address, words: new BigUint64Array(buffer, 0, 3) });
}

/**
 * Give back the room of every block that the file system of descriptor `fd` has free
 * (fs/ext4/mballoc.c ext4_trim_fs()). Blocks that a preallocation holds are not among them, nor are
 * those that the running transaction freed.
 */
export function trim(fd: number): void {
  const { address, words } = trimRange();
  words.set([0n, 2n ** 64n - 1n, 0n]);
  mustSucceed(syscalls().ioctl(fd, FITRIM, address), "FITRIM");
}

/** Do `use` with a descriptor of `path` that is read-only. */
function withOpened(path: string, use: (fd: number) => void): void {
  const fd = openSync(path, "r");
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}

/** The same for the file system mounted at `mountPoint`. */
export function trimMounted(mountPoint: string): void {
  withOpened(mountPoint, trim);
}

/**
 * Write every metadata block that was committed to its place: it gets its room while there is some.
 * The journal may want to do so at any time, and aborts where it cannot (fs/jbd2/checkpoint.c).
 */
export function writeMetadata(loopDevice: string): void {
  withOpened(loopDevice, fsyncSync);
}
