/**
 * What is asked of a file before anything is copied to it.
 *
 * Kernel:   fs/read_write.c generic_copy_file_checks(), generic_write_check_limits()
 * Left out: limits of the process, swap files, immutable files
 */
import { EFBIG } from "../include/errno.ts";
import type { Inode } from "../include/types.ts";

/**
 * fs/read_write.c generic_copy_file_checks() up to 6.18: how many of `count` bytes before EOF may be
 * copied to `pos`, or -errno.
 */
export function generic_copy_file_checks(to: Inode, pos: number, count: number): number {
  const { s_maxbytes } = to.i_sb;
  return pos >= s_maxbytes ? EFBIG : Math.min(count, s_maxbytes - pos);
}

/** The same in 7.3, where nothing may be copied to anywhere. */
export function generic_copy_file_checks_if_any(to: Inode, pos: number, count: number): number {
  return count === 0 ? 0 : generic_copy_file_checks(to, pos, count);
}
