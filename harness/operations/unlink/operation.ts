/**
 * unlink: the file goes, with whatever it has in the page cache that is not written; the case goes
 * on with an empty one of the same name.
 */
import * as z from "zod";
import { ALL_BYTES } from "../../aspects/effects.ts";
import { file } from "../../case/limits.ts";
import type { Effects } from "../../aspects/effects.ts";

export const schema = z.strictObject({ op: z.literal("unlink"), file });

export type Unlink = z.infer<typeof schema>;

export const effects: Effects<Unlink> = {
  begins: { kernel: "fs/ext4/namei.c ext4_unlink()", model: "model/file-system.ts evictInode()" },
  operands: () => [],
  result: "status",
  replacesFile: true,
  touches: () => ALL_BYTES,
  errors: [],
};
