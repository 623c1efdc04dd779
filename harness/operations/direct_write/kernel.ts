import { directBytes } from "../../../model/include/pattern.ts";
import type { KernelCall } from "../../aspects/on-kernel.ts";
import type { DirectWrite } from "./operation.ts";

export const onKernel: KernelCall<DirectWrite> = {
  call({ calls, directFd, user }, { pos, len, readable }, tag) {
    return calls.pwrite(directFd, user.address(tag, directBytes(readable)), len, pos);
  },
};
