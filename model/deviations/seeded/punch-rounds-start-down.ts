import { seeded } from "../deviation.ts";

export const punchRoundsStartDown = seeded({
  id: "punch-rounds-start-down",
  claim: "A hole takes the whole block that it begins in the middle of.",
  reason: "The first block of the hole is rounded down.",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fallocate", mode: "punch_hole", pos: 512, len: 4096 },
    ],
  },
  visible: "step",
  override: (base) => ({
    blocksOfHole(inode, offset, end) {
      const { end_lblk } = base.blocksOfHole(inode, offset, end);
      return { start_lblk: Math.floor(offset / inode.i_sb.s_blocksize), end_lblk };
    },
  }),
});
