/**
 * other_file: the case goes on with the other of its two files, which both stay open; the first
 * time that is a new, empty one.
 */
import * as z from "zod";
import { ALL_BYTES } from "../../aspects/effects.ts";
import type { Effects } from "../../aspects/effects.ts";

export const schema = z.strictObject({ op: z.literal("other_file") });

export type OtherFile = z.infer<typeof schema>;

export const effects: Effects<OtherFile> = {
  operands: () => [],
  result: "status",
  changesFile: true,
  touches: () => ALL_BYTES,
  sizeAfter: (_, before) => before,
  changesNothing: true,
};
