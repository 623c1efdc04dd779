import { sync_file_range, sync_file_range_write } from "../../../model/file-system.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import type { SyncFileRange } from "./operation.ts";

export const onModel: ModelCall<SyncFileRange> = {
  call: (inode, { pos, len, nowait }) =>
    nowait === true ? sync_file_range_write(inode, pos, len) : sync_file_range(inode, pos, len),
};
