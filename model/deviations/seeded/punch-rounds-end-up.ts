import { seeded } from "../deviation.ts";

export const punchRoundsEndUp = seeded({
  id: "punch-rounds-end-up",
  claim: "A hole takes the whole block that it ends in the middle of.",
  reason: "The last block of the hole is rounded up.",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fallocate", mode: "punch_hole", pos: 0, len: 512 },
    ],
  },
  visible: "step",
  override: (base) => ({
    blocksOfHole(inode, offset, end) {
      const { start_lblk } = base.blocksOfHole(inode, offset, end);
      return { start_lblk, end_lblk: Math.ceil(end / inode.i_sb.s_blocksize) };
    },
  }),
});
