import { patternTag } from "../../../model/include/pattern.ts";
import { pausedWrite } from "../../../model/file-system.ts";
import type { ModelEvent, Unknown } from "../../aspects/on-model.ts";
import type { PausedLook } from "../../case/observation.ts";
import { duringTag, joined } from "./operation.ts";
import type { DuringOperation, PausedWrite } from "./operation.ts";

export const onModel: ModelEvent<PausedWrite, DuringOperation> = {
  perform(files, operation, index) {
    const reads: Uint8Array[] = [];
    const unknown: Unknown[] = [];
    let length = 0;
    let during: PausedLook[] | undefined;
    const result = pausedWrite(files.inode, operation, patternTag(index), () => {
      during = [files.look(0)];
      for (const [i, one] of operation.during.entries()) {
        const called = files.call(one, duringTag(index, i));
        during.push(files.look(called.result));
        if (called.read === undefined) continue;
        for (const { start, end } of called.unknown ?? []) {
          unknown.push({ start: length + start, end: length + end });
        }
        reads.push(called.read);
        length += called.read.length;
      }
      return operation.after === "continue";
    });
    return { result, read: joined(reads), unknown, during };
  },
};
