import { fallocate, pwrite } from "../../../model/file-system.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import { performTeeth, toothTag } from "./operation.ts";
import type { Comb } from "./operation.ts";

export const onModel: ModelCall<Comb> = {
  call: (inode, o, tag) =>
    performTeeth(o, ({ pos, len }, i) =>
      o.call === "pwrite"
        ? pwrite(inode, pos, len, len, toothTag(tag, i))
        : fallocate(inode, o.call, pos, len),
    ),
};
