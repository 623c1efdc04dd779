/**
 * Copying from file to file within the kernel, by way of a pipe of pages of the page cache.
 *
 * Kernel:   fs/read_write.c vfs_copy_file_range(); fs/splice.c splice_copy_file_range(),
 *           iter_file_splice_write(); mm/filemap.c filemap_splice_read()
 * Left out: limits of the process, signals
 */
import { EINVAL, EIO } from "./include/errno.ts";
import { PAGE_SIZE } from "./include/types.ts";
import type { Inode } from "./include/types.ts";
import { ext4_buffered_write_iter } from "./ext4/file.ts";
import { uptodateFolio } from "./mm/filemap.ts";
import { folio_next_pos, pageOf } from "./mm/folio.ts";

/** Pages that a pipe holds at most, whole or a part of each (include/linux/pipe_fs_i.h). */
const PIPE_DEF_BUFFERS = 16;

/**
 * mm/filemap.c filemap_splice_read() of `len` bytes at `pos`, which lie before EOF: as many as an
 * empty pipe takes. A folio must be uptodate as a whole: a pipe has no parts of it that are not. Of
 * one that cannot be read nothing is; -EIO where it is the first.
 */
function filemap_splice_read(inode: Inode, pos: number, len: number): number {
  const bytes = Math.min(len, PIPE_DEF_BUFFERS * PAGE_SIZE - (pos % PAGE_SIZE));
  for (let at = pos; at < pos + bytes;) {
    const folio = uptodateFolio(inode, pageOf(at));
    if (folio === undefined) return at > pos ? at - pos : EIO;
    at = folio_next_pos(folio);
  }
  return bytes;
}

/**
 * fs/splice.c iter_file_splice_write(): writes what the pipe holds, `len` bytes that lie `delta`
 * bytes further on in `from`, until nothing is left or a write fails. Bytes written, or -errno
 * where none were.
 */
function iter_file_splice_write(
  from: Inode,
  to: Inode,
  pos: number,
  len: number,
  delta: number,
): number {
  let spliced = 0;
  while (spliced < len) {
    const left = len - spliced;
    const pipe = { readable: left, fault: (): void => {} };
    const source = { of: from.contents, delta };
    const written = ext4_buffered_write_iter(to, pos + spliced, left, pipe, source);
    if (written <= 0) return spliced > 0 ? spliced : written;
    spliced += written;
  }
  return spliced;
}

/**
 * copy_file_range(2), which ext4 leaves to fs/splice.c splice_copy_file_range(). Bytes copied, or
 * -errno.
 */
export function copy_file_range(
  from: Inode,
  pos_in: number,
  to: Inode,
  pos_out: number,
  len: number,
): number {
  const left = Math.max(0, Math.min(len, from.i_size - pos_in));
  const count = to.i_sb.s_op.generic_copy_file_checks(to, pos_out, left);
  if (count < 0) return count;
  if (from === to && pos_out + count > pos_in && pos_out < pos_in + count) return EINVAL;
  let copied = 0;
  while (copied < count) {
    const read = filemap_splice_read(from, pos_in + copied, count - copied);
    if (read < 0) return copied > 0 ? copied : read;
    const at = pos_out + copied;
    const written = iter_file_splice_write(from, to, at, read, pos_in - pos_out);
    if (written <= 0) return copied > 0 ? copied : written;
    copied += written;
    if (written < read) break;
  }
  return copied;
}
