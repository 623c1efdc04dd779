/**
 * A case that ran on the same file system before the one that is told of: what it left there may be
 * what shows.
 */
import * as z from "zod";
import { someOperationsSchema } from "../operations/operation.ts";

/** Cases that are stored before one: more than come between two checkpoints. */
const MAX_EARLIER = 10_000;

const earlierCaseSchema = z.strictObject({
  /**
   * Its file stayed to the end, to be looked at on disk; else it was removed when the next case
   * began.
   */
  kept: z.literal(true).exactOptional(),
  operations: someOperationsSchema,
});

export const earlierCasesSchema = z.array(earlierCaseSchema).max(MAX_EARLIER);

export type EarlierCase = z.infer<typeof earlierCaseSchema>;
