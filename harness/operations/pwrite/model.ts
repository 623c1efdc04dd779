import { generic_write_sync, pwrite } from "../../../model/file-system.ts";
import { filemap_fdatawrite_range_kick, withDontcache } from "../../../model/mm/filemap.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import type { Pwrite } from "./operation.ts";

export const onModel: ModelCall<Pwrite> = {
  call(inode, { pos, len, readable, limit, sync, dontcache }, tag) {
    const write = (): number => pwrite(inode, pos, len, readable, tag, limit);
    const written = dontcache === undefined ? write() : withDontcache(inode, write);
    if (sync !== undefined) return generic_write_sync(inode, pos, written, sync);
    if (dontcache !== undefined) filemap_fdatawrite_range_kick(inode, pos, written);
    return written;
  },
};
