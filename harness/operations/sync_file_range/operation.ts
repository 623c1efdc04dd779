/**
 * sync_file_range: writeback of a part of the file, and waiting for it (WAIT_BEFORE | WRITE |
 * WAIT_AFTER): data only, no journal commit, no flush.
 */
import * as z from "zod";
import { NO_BYTES, rangeOf } from "../../aspects/effects.ts";
import type { Effects } from "../../aspects/effects.ts";
import { file, fail_nth, pos, rangeLen, starved } from "../../case/limits.ts";

/** Where the machine fails nothing, of the file that another operation is about. */
export const plain = z.strictObject({ op: z.literal("sync_file_range"), pos, len: rangeLen });
export const schema = plain.extend({ file, starved, fail_nth });

export type SyncFileRange = z.infer<typeof schema>;

export const effects: Effects<SyncFileRange> = {
  begins: {
    kernel: "fs/sync.c sync_file_range()",
    model: "model/file-system.ts sync_file_range()",
  },
  operands: ({ pos: at, len }) => [`pos=${at}`, `len=${len}`],
  label: "sync range",
  result: "status",
  recordable: () => true,
  meetsDevice: () => true,
  canLackMemory: () => true,
  touches: () => NO_BYTES,
  errors: [],
  changesNothing: true,
  syncs: rangeOf,
};
