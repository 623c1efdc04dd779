/**
 * A case that ran on the same file system before the one that is told of: what it left there may be
 * what shows.
 */
import * as z from "zod";
import { someOperationsSchema } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";

export interface EarlierCase {
  operations: Operation[];
  /**
   * Its file stayed to the end, to be looked at on disk; else it was removed when the next case
   * began.
   */
  kept?: true;
}

/** Cases that are stored before one: more than come between two checkpoints. */
const MAX_EARLIER = 10_000;

export const earlierCasesSchema = z
  .array(
    z.strictObject({
      kept: z.literal(true).exactOptional(),
      operations: someOperationsSchema,
    }),
  )
  .max(MAX_EARLIER);
