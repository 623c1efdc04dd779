import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/iomap/buffered-io.c iomap_write_delalloc_release() looks for dirty data up to i_size,
 * a byte, and has the rest given back. fs/ext4/inode.c ext4_iomap_punch_delalloc() of the series
 * gives back whole blocks, from the one that holds the first byte on. Where EOF lies within a block
 * of the range, that is EOF's own, whether its data before EOF is dirty or not. The folio stays
 * dirty over a hole, and writeback finds no blocks for it.
 *
 * It takes dirty data in blocks that the write itself reserved: a store through a mapping while the
 * write is copying, and a write that then fails. A write of which EOF's block was reserved before
 * does not release it.
 *
 * Seen (7.3.4 with the series of October 2026, 4k-delalloc-iomap): a store into a file of 512 bytes
 * during a write at 0 that then fails is gone after msync, fsync and a remount. On the buffer_head
 * path it stays, and on versions 1 and 2 of the series, which release nothing
 * (delayed-blocks-not-new). The kernel is wrong, not the model.
 */
export const releaseTakesBlockOfEof: Deviation = {
  id: "release-takes-block-of-eof",
  claim:
    "A store into the block of EOF during a delayed write that then fails is lost, though it was synced.",
  severity: "data",
  reason:
    "ext4_iomap_punch_delalloc() rounds EOF, up to which dirty data is kept, down to its block.",
  seenIn: ["series 7.4-dev on 7.3.4"],
  path: "iomap",
  visible: "step",
  breaks: ["data-has-blocks", "read-returns-what-was-written", "synced-bytes-survive"],
  takes: "short copy",
  witness: {
    kernel: "series 7.4-dev",
    variant: "4k-delalloc",
    operations: [
      { op: "ftruncate", size: 512 },
      {
        op: "paused_write",
        pos: 0,
        len: 4096,
        pause_at: 0,
        during: [{ op: "mmap_write", pos: 0, len: 512 }],
        after: "fault",
      },
    ],
  },
  override: (base) => ({
    ext4_iomap_punch_delalloc(inode, offset, length) {
      const rest = offset % inode.i_sb.s_blocksize;
      if (rest !== 0) inode.deviated.add(releaseTakesBlockOfEof.id);
      base.ext4_iomap_punch_delalloc(inode, offset - rest, length + rest);
    },
  }),
};
