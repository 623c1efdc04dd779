import { sync_file_range } from "../../../model/file-system.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import type { SyncFileRange } from "./operation.ts";

export const onModel: ModelCall<SyncFileRange> = {
  call: (inode, { pos, len }) => sync_file_range(inode, pos, len),
};
