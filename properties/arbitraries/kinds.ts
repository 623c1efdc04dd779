/**
 * One entry for each kind of operation; a new operation does not compile until it has one.
 */
import type { Operation, OperationName } from "../../harness/operations/operation.ts";
import { direct_read } from "./direct_read.ts";
import { direct_write } from "./direct_write.ts";
import { drop_cache } from "./drop_cache.ts";
import { fallocate } from "./fallocate.ts";
import { fsync } from "./fsync.ts";
import { ftruncate } from "./ftruncate.ts";
import type { Kind, OperationOf } from "./kind.ts";
import { mmap_write } from "./mmap_write.ts";
import { other_file } from "./other_file.ts";
import { paused_write } from "./paused_write.ts";
import { power_cut } from "./power_cut.ts";
import { pread } from "./pread.ts";
import { pwrite } from "./pwrite.ts";
import { sync_file_range } from "./sync_file_range.ts";
import { unlink } from "./unlink.ts";

const kinds: { readonly [N in OperationName]: Kind<OperationOf<N>> } = {
  pwrite,
  mmap_write,
  pread,
  fsync,
  sync_file_range,
  ftruncate,
  fallocate,
  drop_cache,
  paused_write,
  power_cut,
  unlink,
  other_file,
  direct_write,
  direct_read,
};

/** The kind named `name`; its functions take operations of that name only. */
export function kindNamed(name: OperationName): Kind<Operation> {
  return kinds[name];
}
