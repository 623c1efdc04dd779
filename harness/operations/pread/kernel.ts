import type { KernelCall } from "../../aspects/on-kernel.ts";
import type { Pread } from "./operation.ts";

export const onKernel: KernelCall<Pread> = {
  call: ({ calls, fd, memory }, { pos, len }) => calls.pread(fd, memory, len, pos),
};
