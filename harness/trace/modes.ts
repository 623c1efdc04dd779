/**
 * fallocate(2) modes as numbers, the flags as the kernel knows them (include/uapi/linux/falloc.h).
 */
import type { FallocateMode } from "../operations/fallocate/operation.ts";

export const fallocateModes: ReadonlyMap<number, FallocateMode> = new Map([
  [0, "allocate"],
  [0x01, "keep_size"],
  [0x03, "punch_hole"],
  [0x08, "collapse_range"],
  [0x10, "zero_range"],
  [0x11, "zero_range_keep_size"],
  [0x20, "insert_range"],
]);
