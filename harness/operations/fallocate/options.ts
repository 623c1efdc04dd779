import type { FallocateMode } from "./operation.ts";

/** Options of fallocate(1). */
export const OPTIONS: Readonly<Record<FallocateMode, readonly string[]>> = {
  allocate: [],
  keep_size: ["--keep-size"],
  punch_hole: ["--punch-hole"],
  zero_range: ["--zero-range"],
  zero_range_keep_size: ["--zero-range", "--keep-size"],
  collapse_range: ["--collapse-range"],
  insert_range: ["--insert-range"],
};
