import { patternTag } from "../../../model/include/pattern.ts";
import type { KernelCall } from "../../aspects/on-kernel.ts";
import { onKernel as fallocate } from "../fallocate/kernel.ts";
import { onKernel as pwrite } from "../pwrite/kernel.ts";
import { performTeeth, toothIndex } from "./operation.ts";
import type { Comb } from "./operation.ts";

export const onKernel: KernelCall<Comb> = {
  call: (file, o, tag) =>
    performTeeth(o, (tooth, i) =>
      tooth.op === "pwrite"
        ? pwrite.call(file, tooth, patternTag(toothIndex(tag, i)))
        : fallocate.call(file, tooth, tag),
    ),
};
