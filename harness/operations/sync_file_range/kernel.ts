import type { KernelCall } from "../../aspects/on-kernel.ts";
import * as sys from "../../system/syscalls.ts";
import type { SyncFileRange } from "./operation.ts";

const SYNC_AND_WAIT =
  sys.SYNC_FILE_RANGE_WAIT_BEFORE | sys.SYNC_FILE_RANGE_WRITE | sys.SYNC_FILE_RANGE_WAIT_AFTER;

export const onKernel: KernelCall<SyncFileRange> = {
  call({ calls, fd }, { pos, len, nowait }) {
    const flags = nowait === true ? sys.SYNC_FILE_RANGE_WRITE : SYNC_AND_WAIT;
    return calls.sync_file_range(fd, pos, len, flags);
  },
};
