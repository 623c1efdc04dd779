import type { Deviation } from "../deviation.ts";

export const refusalNotReported: Deviation = {
  id: "refusal-not-reported",
  claim: "fsync reports success though the device refused data.",
  reason:
    "The end of an I/O that failed leaves its error where fsync does not look (address_space.wb_err).",
  seenIn: ["seeded"],
  breaks: [],
  witness: {
    kernel: "6.18",
    variant: "4k-thin",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fsync", starved: true },
    ],
  },
  visible: "step",
  override: (base) => ({
    writepages(inode, start, end) {
      const error = base.writepages(inode, start, end);
      inode.wb_err = 0;
      return error;
    },
  }),
};
