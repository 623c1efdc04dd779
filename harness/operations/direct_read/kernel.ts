import type { KernelCall } from "../../aspects/on-kernel.ts";
import type { DirectRead } from "./operation.ts";

export const onKernel: KernelCall<DirectRead> = {
  call: ({ calls, directFd, memory }, { pos, len }) => calls.pread(directFd, memory, len, pos),
};
