import type { KernelCall } from "../../aspects/on-kernel.ts";
import { POSIX_FADV_DONTNEED } from "../../system/syscalls.ts";
import type { DropCache } from "./operation.ts";

export const onKernel: KernelCall<DropCache> = {
  call({ calls, fd }) {
    const result = calls.fsync(fd);
    return result < 0 ? result : calls.posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  },
};
