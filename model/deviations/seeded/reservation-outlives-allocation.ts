import { seeded } from "../deviation.ts";

export const reservationOutlivesAllocation = seeded({
  id: "reservation-outlives-allocation",
  claim: "A delayed block that has been allocated stays reserved.",
  reason: "Allocating does not use up the reservation.",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 4096 }, { op: "fsync" }],
  },
  visible: "step",
  override: () => ({ ext4_da_update_reserve_space() {} }),
});
