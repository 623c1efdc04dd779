import { generic_write_sync, pwrite } from "../../../model/file-system.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import type { Pwrite } from "./operation.ts";

export const onModel: ModelCall<Pwrite> = {
  call(inode, { pos, len, readable, limit, sync }, tag) {
    const written = pwrite(inode, pos, len, readable, tag, limit);
    return sync === undefined ? written : generic_write_sync(inode, pos, written, sync);
  },
};
