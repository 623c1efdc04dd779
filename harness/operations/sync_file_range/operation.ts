/**
 * sync_file_range: writeback of a part of the file, and waiting for it (WAIT_BEFORE | WRITE |
 * WAIT_AFTER), or not (WRITE alone, as background writeback does it): data only, no journal commit,
 * no flush. Nobody looks before it is done, but the call does not say whether it was.
 */
import * as z from "zod";
import { NO_BYTES, rangeOf } from "../../aspects/effects.ts";
import type { Effects, Rule } from "../../aspects/effects.ts";
import { file, fail_nth, pos, rangeLen, ruled, starved } from "../../case/limits.ts";

/** Where the machine fails nothing, of the file that another operation is about. */
export const plain = z.strictObject({ op: z.literal("sync_file_range"), pos, len: rangeLen });

const operands = plain.extend({
  file,
  /** SYNC_FILE_RANGE_WRITE alone. */
  nowait: z.literal(true).optional(),
  starved,
  fail_nth,
});

const rules: readonly Rule<z.infer<typeof operands>>[] = [
  {
    check: (o) => o.nowait === undefined || (o.starved ?? o.fail_nth) === undefined,
    says: { error: "what is not waited for does not say what failed", path: ["nowait"] },
  },
];

export const schema = ruled(operands, rules);

export type SyncFileRange = z.infer<typeof schema>;

export const effects: Effects<SyncFileRange> = {
  begins: {
    kernel: "fs/sync.c sync_file_range()",
    model: "model/file-system.ts sync_file_range()",
  },
  operands: ({ pos: at, len, nowait }) => [
    `pos=${at}`,
    `len=${len}`,
    ...(nowait === true ? ["nowait"] : []),
  ],
  rules,
  kind: ({ nowait }) => (nowait === true ? "sync_file_range, nowait" : "sync_file_range"),
  label: "sync range",
  result: "status",
  recordable: ({ nowait }) => nowait === undefined,
  meetsDevice: ({ nowait }) => nowait === undefined,
  canLackMemory: ({ nowait }) => nowait === undefined,
  touches: () => NO_BYTES,
  errors: [],
  changesNothing: true,
  syncs: (o) => (o.nowait === true ? NO_BYTES : rangeOf(o)),
};
