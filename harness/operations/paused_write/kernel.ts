import { patternTag } from "../../../model/include/pattern.ts";
import type { KernelEvent } from "../../aspects/on-kernel.ts";
import type { PausedLook } from "../../case/observation.ts";
import { pausedWriter } from "../../system/paused-writer.ts";
import { duringTag, joined } from "./operation.ts";
import type { DuringOperation, PausedWrite } from "./operation.ts";

export const onKernel: KernelEvent<PausedWrite, DuringOperation> = {
  perform(files, { pos, len, pause_at, during, after }, index) {
    const writer = pausedWriter();
    if (writer === undefined) throw new Error("a paused write was asked for without userfaultfd");
    const reads: Uint8Array[] = [];
    let looks: PausedLook[] | undefined;
    const what = { fd: files.fd, pos, len, pause_at, tag: patternTag(index) };
    const result = writer.write(what, () => {
      let look = files.look(0);
      looks = [look];
      for (const [i, one] of during.entries()) {
        const called = files.call(one, look.i_size, duringTag(index, i));
        if (called.read !== undefined) reads.push(called.read);
        looks.push((look = files.look(called.result)));
      }
      return after === "continue";
    });
    return { result, read: joined(reads), during: looks };
  },
  isPossible: () => pausedWriter() !== undefined,
};
