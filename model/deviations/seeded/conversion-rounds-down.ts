import { seeded } from "../deviation.ts";

export const conversionRoundsDown = seeded({
  id: "conversion-rounds-down",
  claim: "The last block of a file stays unwritten after an fsync, and reads as zero.",
  reason: "The end of the I/O, which is byte-accurate at EOF, is rounded down to a block.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 512, readable: 512 }],
  },
  visible: "step",
  override: (base) => ({
    finish_ioend(inode, ioend) {
      const end = ioend.io_offset + ioend.io_size;
      const whole = end - (end % inode.i_sb.s_blocksize) - ioend.io_offset;
      base.finish_ioend(inode, { ...ioend, io_size: Math.max(whole, 0) });
      inode.i_disksize = Math.max(inode.i_disksize, Math.min(end, inode.i_size));
    },
  }),
});
