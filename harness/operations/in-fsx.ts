/**
 * Operations in files of fsx: an entry for each.
 */
import type { FileInFsx, InFsx } from "../aspects/in-fsx.ts";
import { inFsx as comb } from "./comb/in-fsx.ts";
import { inFsx as copy_range } from "./copy_range/in-fsx.ts";
import { inFsx as direct_read } from "./direct_read/in-fsx.ts";
import { inFsx as direct_write } from "./direct_write/in-fsx.ts";
import { inFsx as drop_cache } from "./drop_cache/in-fsx.ts";
import { inFsx as fallocate } from "./fallocate/in-fsx.ts";
import { inFsx as fsync } from "./fsync/in-fsx.ts";
import { inFsx as ftruncate } from "./ftruncate/in-fsx.ts";
import { inFsx as mmap_write } from "./mmap_write/in-fsx.ts";
import { NEEDS_FAULT_INJECTION, failNthOf, fileOf, isStarved, sourceOf } from "./operation.ts";
import type { Operation, OperationName, OperationOf } from "./operation.ts";
import { inFsx as paused_write } from "./paused_write/in-fsx.ts";
import { inFsx as power_cut } from "./power_cut/in-fsx.ts";
import { inFsx as pread } from "./pread/in-fsx.ts";
import { inFsx as pwrite } from "./pwrite/in-fsx.ts";
import { inFsx as sync_file_range } from "./sync_file_range/in-fsx.ts";
import { inFsx as unlink } from "./unlink/in-fsx.ts";

const all: { readonly [N in OperationName]: InFsx<OperationOf<N>> } = {
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

/** How operations of its name are written; the functions take those of that name only. */
export const inFsx = ({ op }: Operation): InFsx<Operation> => all[op];

/** Why fsx cannot do it; undefined where it can. */
export function cannotInFsx(operation: Operation, file: FileInFsx): string | undefined {
  if (failNthOf(operation) !== undefined) return NEEDS_FAULT_INJECTION;
  if (isStarved(operation)) return "fsx takes no room from its device";
  if (fileOf(operation) === 1 || sourceOf(operation)?.file === 1) return "fsx has one file";
  return inFsx(operation).cannot?.(operation, file);
}
