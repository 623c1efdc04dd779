/**
 * Operations in a script: an entry for each.
 */
import type { InShell } from "../aspects/in-shell.ts";
import { inShell as comb } from "./comb/in-shell.ts";
import { inShell as copy_range } from "./copy_range/in-shell.ts";
import { inShell as direct_read } from "./direct_read/in-shell.ts";
import { inShell as direct_write } from "./direct_write/in-shell.ts";
import { inShell as drop_cache } from "./drop_cache/in-shell.ts";
import { inShell as fallocate } from "./fallocate/in-shell.ts";
import { inShell as fsync } from "./fsync/in-shell.ts";
import { inShell as ftruncate } from "./ftruncate/in-shell.ts";
import { inShell as mmap_write } from "./mmap_write/in-shell.ts";
import { NEEDS_FAULT_INJECTION, failNthOf } from "./operation.ts";
import type { Operation, OperationName, OperationOf } from "./operation.ts";
import { inShell as paused_write } from "./paused_write/in-shell.ts";
import { inShell as power_cut } from "./power_cut/in-shell.ts";
import { inShell as pread } from "./pread/in-shell.ts";
import { inShell as pwrite } from "./pwrite/in-shell.ts";
import { inShell as sync_file_range } from "./sync_file_range/in-shell.ts";
import { inShell as unlink } from "./unlink/in-shell.ts";

const all: { readonly [N in OperationName]: InShell<OperationOf<N>> } = {
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
export const inShell = ({ op }: Operation): InShell<Operation> => all[op];

/** Why a script cannot do it; undefined where it can. */
export function cannotInShell(operation: Operation): string | undefined {
  if (failNthOf(operation) !== undefined) return NEEDS_FAULT_INJECTION;
  return inShell(operation).cannot?.(operation);
}
