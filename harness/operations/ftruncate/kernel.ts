import type { KernelCall } from "../../aspects/on-kernel.ts";
import type { Ftruncate } from "./operation.ts";

export const onKernel: KernelCall<Ftruncate> = {
  call: ({ calls, fd }, { size }) => calls.ftruncate(fd, size),
};
