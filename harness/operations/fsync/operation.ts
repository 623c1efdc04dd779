/**
 * fsync: all that is dirty is written back, and the journal commits.
 */
import * as z from "zod";
import { ALL_BYTES, NO_BYTES } from "../../aspects/effects.ts";
import type { Effects } from "../../aspects/effects.ts";
import { file, fail_nth, starved } from "../../case/limits.ts";

/** Where the machine fails nothing, of the file that another operation is about. */
export const plain = z.strictObject({ op: z.literal("fsync") });
export const schema = plain.extend({ file, starved, fail_nth });

export type Fsync = z.infer<typeof schema>;

/** The effects of what syncs all of a file. */
export const syncing = {
  operands: () => [],
  result: "status",
  recordable: () => true,
  meetsDevice: () => true,
  touches: () => NO_BYTES,
  errors: [],
  persists: (_, __, i_size) => ({ pos: 0, end: i_size }),
  syncs: () => ALL_BYTES,
  syncsAll: true,
} satisfies Omit<Effects<{ op: string }>, "begins">;

export const effects: Effects<Fsync> = {
  ...syncing,
  begins: { kernel: "fs/ext4/fsync.c ext4_sync_file()", model: "model/file-system.ts fsync()" },
  canLackMemory: () => true,
};
