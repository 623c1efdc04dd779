/**
 * pread: a buffered read.
 */
import * as z from "zod";
import { rangeOf } from "../../aspects/effects.ts";
import type { Effects } from "../../aspects/effects.ts";
import { ioLen, pos } from "../../case/limits.ts";

export const schema = z.strictObject({ op: z.literal("pread"), pos, len: ioLen });

export type Pread = z.infer<typeof schema>;

export const effects: Effects<Pread> = {
  operands: ({ pos: at, len }) => [`pos=${at}`, `len=${len}`],
  result: "read",
  recordable: () => true,
  touches: rangeOf,
  sizeAfter: (_, before) => before,
  changesNothing: true,
};
