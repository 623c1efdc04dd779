/**
 * power_cut: look at the image as it would be after a power cut at this moment: mounted elsewhere,
 * the journal replayed. The file itself goes on as it was.
 */
import * as z from "zod";
import { NO_BYTES } from "../../aspects/effects.ts";
import { file } from "../../case/limits.ts";
import type { Effects } from "../../aspects/effects.ts";

export const schema = z.strictObject({ op: z.literal("power_cut"), file });

export type PowerCut = z.infer<typeof schema>;

export const effects: Effects<PowerCut> = {
  begins: {
    kernel: "fs/jbd2/recovery.c jbd2_journal_recover()",
    model: "model/ext4/power-cut.ts afterPowerCut()",
  },
  operands: () => [],
  result: "status",
  cutsPower: true,
  takes: () => "a journal",
  touches: () => NO_BYTES,
  changesNothing: true,
};
