import type { KernelCall } from "../../aspects/on-kernel.ts";
import type { Fsync } from "./operation.ts";

export const onKernel: KernelCall<Fsync> = { call: ({ calls, fd }) => calls.fsync(fd) };
