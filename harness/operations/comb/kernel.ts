import type { KernelCall } from "../../aspects/on-kernel.ts";
import { FLAGS } from "../fallocate/kernel.ts";
import { performTeeth, toothTag } from "./operation.ts";
import type { Comb } from "./operation.ts";

export const onKernel: KernelCall<Comb> = {
  call: ({ calls, fd, user }, o, tag) =>
    performTeeth(o, ({ pos, len }, i) =>
      o.call === "pwrite"
        ? calls.pwrite(fd, user.address(toothTag(tag, i), len), len, pos)
        : calls.fallocate(fd, FLAGS[o.call], pos, len),
    ),
};
