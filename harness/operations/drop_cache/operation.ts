/**
 * drop_cache: fsync, then posix_fadvise(POSIX_FADV_DONTNEED) over the whole file: clean folios
 * leave the page cache.
 */
import * as z from "zod";
import { ALL_BYTES, NO_BYTES } from "../../aspects/effects.ts";
import type { Effects } from "../../aspects/effects.ts";
import { file, starved } from "../../case/limits.ts";

/** Where the machine fails nothing, of the file that another operation is about. */
export const plain = z.strictObject({ op: z.literal("drop_cache") });
export const schema = plain.extend({ file, starved });

export type DropCache = z.infer<typeof schema>;

export const effects: Effects<DropCache> = {
  operands: () => [],
  result: "status",
  recordable: () => true,
  meetsDevice: () => true,
  touches: () => NO_BYTES,
  errors: [],
  sizeAfter: (_, before) => before,
  persists: (_, __, i_size) => ({ pos: 0, end: i_size }),
  syncs: () => ALL_BYTES,
  syncsAll: true,
};
