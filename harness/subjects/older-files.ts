/**
 * Files that are older than how their file system is mounted: made and opened, empty, before the
 * mount changed its options.
 *
 * An inode gets its address_space_operations when it comes into memory and keeps them
 * (fs/ext4/inode.c ext4_set_aops()), while the rest of ext4 asks the mount each time. So a file
 * that was open when nodelalloc became delalloc goes on with the write_begin of the one and the
 * page faults and writeback of the other. Kernels refuse the way back (fs/ext4/super.c
 * ext4_check_opt_consistency(); seen on 6.18).
 */
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import * as sys from "../system/syscalls.ts";

/** Files for about as many cases as a checkpoint is worth. */
export const OLDER_FILES = 256;

/** So few that it is time for a mount with new ones, between two chunks of cases. */
export const FEW_OLDER_FILES = 96;

export class OlderFiles {
  readonly #calls = sys.syscalls();
  readonly #files: { path: string; fd: number }[] = [];

  /** Make `count` of them on what is mounted there. */
  constructor(mountPoint: string, count: number) {
    for (let i = 0; i < count; i++) {
      const path = join(mountPoint, `older-${i}`);
      const fd = sys.mustSucceed(this.#calls.open(path, sys.NEW_FILE, 0o600), `open ${path}`);
      this.#files.push({ path, fd });
    }
  }

  /** How many there are. */
  get count(): number {
    return this.#files.length;
  }

  /**
   * The descriptor of one of them, which lies at `path` from now on, where nothing may be; or
   * -errno.
   */
  take(path: string): sys.Result {
    const file = this.#files.pop();
    if (file === undefined) throw new Error("more files were asked for than had been made");
    const error = this.#calls.rename(file.path, path);
    return error < 0 ? error : file.fd;
  }

  /** Close and remove those that nobody took. */
  remove(): void {
    const paths = this.#files.map(({ path }) => path);
    this.release();
    for (const path of paths) unlinkSync(path);
  }

  /** Close them: the file system goes as it is. */
  release(): void {
    for (const { fd } of this.#files.splice(0)) this.#calls.close(fd);
  }
}
