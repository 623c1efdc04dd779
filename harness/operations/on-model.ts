/**
 * Operations on the model: an entry for each.
 */
import type { Inode } from "../../model/include/types.ts";
import type { ModelCall, OnModel } from "../aspects/on-model.ts";
import { onModel as comb } from "./comb/model.ts";
import { onModel as copy_range } from "./copy_range/model.ts";
import { onModel as direct_read } from "./direct_read/model.ts";
import { onModel as direct_write } from "./direct_write/model.ts";
import { onModel as drop_cache } from "./drop_cache/model.ts";
import { onModel as fallocate } from "./fallocate/model.ts";
import { onModel as fsync } from "./fsync/model.ts";
import { onModel as ftruncate } from "./ftruncate/model.ts";
import { onModel as mmap_write } from "./mmap_write/model.ts";
import type { Operation, OperationName, OperationOf } from "./operation.ts";
import { onModel as paused_write } from "./paused_write/model.ts";
import { onModel as power_cut } from "./power_cut/model.ts";
import { onModel as pread } from "./pread/model.ts";
import { onModel as pwrite } from "./pwrite/model.ts";
import { onModel as sync_file_range } from "./sync_file_range/model.ts";
import { onModel as unlink } from "./unlink/model.ts";

const all: { readonly [N in OperationName]: OnModel<OperationOf<N>, Operation> } = {
  pwrite,
  direct_write,
  direct_read,
  mmap_write,
  pread,
  fsync,
  sync_file_range,
  ftruncate,
  fallocate,
  power_cut,
  unlink,
  drop_cache,
  paused_write,
  copy_range,
  comb,
};

/** How operations of its name are performed; the functions take those of that name only. */
export const onModel = ({ op }: Operation): OnModel<Operation, Operation> => all[op];

/** The call that it is; undefined where it is more than one. */
export function modelCall(operation: Operation): ModelCall<Operation> | undefined {
  const how = onModel(operation);
  return "call" in how ? how : undefined;
}

/** Perform what is one call: what it returned. Of what is more, undefined, and nothing is done. */
export const callOnModel = (
  inode: Inode,
  operation: Operation,
  tag: number,
  file: (file: 0 | 1) => Inode,
): number | undefined => modelCall(operation)?.call(inode, operation, tag, file);
