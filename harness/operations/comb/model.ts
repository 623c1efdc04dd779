import { patternTag } from "../../../model/include/pattern.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import { onModel as fallocate } from "../fallocate/model.ts";
import { onModel as pwrite } from "../pwrite/model.ts";
import { performTeeth, toothIndex } from "./operation.ts";
import type { Comb } from "./operation.ts";

export const onModel: ModelCall<Comb> = {
  call: (inode, o, tag, file) =>
    performTeeth(o, (tooth, i) =>
      tooth.op === "pwrite"
        ? pwrite.call(inode, tooth, patternTag(toothIndex(tag, i)), file)
        : fallocate.call(inode, tooth, tag, file),
    ),
};
