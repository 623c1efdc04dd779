/**
 * drop_cache: fsync, then posix_fadvise(POSIX_FADV_DONTNEED) over the whole file: clean folios
 * leave the page cache.
 */
import * as z from "zod";
import type { Effects } from "../../aspects/effects.ts";
import { file, starved } from "../../case/limits.ts";
import { syncing } from "../fsync/operation.ts";

/** Where the machine fails nothing, of the file that another operation is about. */
export const plain = z.strictObject({ op: z.literal("drop_cache") });
export const schema = plain.extend({ file, starved });

export type DropCache = z.infer<typeof schema>;

/** Those of the fsync that it begins with; nobody has its allocations fail. */
export const effects: Effects<DropCache> = {
  ...syncing,
  begins: { kernel: "mm/fadvise.c generic_fadvise()", model: "model/file-system.ts dropCache()" },
};
