import type { KernelCall } from "../../aspects/on-kernel.ts";
import * as sys from "../../system/syscalls.ts";
import type { Fallocate, FallocateMode } from "./operation.ts";

/**
 * fallocate(2) flags of each mode. Punching and collapsing hold the size by their nature; punching
 * must say so.
 */
const FLAGS: Readonly<Record<FallocateMode, number>> = {
  allocate: 0,
  keep_size: sys.FALLOC_FL_KEEP_SIZE,
  punch_hole: sys.FALLOC_FL_PUNCH_HOLE | sys.FALLOC_FL_KEEP_SIZE,
  zero_range: sys.FALLOC_FL_ZERO_RANGE,
  zero_range_keep_size: sys.FALLOC_FL_ZERO_RANGE | sys.FALLOC_FL_KEEP_SIZE,
  collapse_range: sys.FALLOC_FL_COLLAPSE_RANGE,
  insert_range: sys.FALLOC_FL_INSERT_RANGE,
};

export const onKernel: KernelCall<Fallocate> = {
  call: ({ calls, fd }, { mode, pos, len }) => calls.fallocate(fd, FLAGS[mode], pos, len),
};
