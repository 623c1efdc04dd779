/**
 * Operations in C: an entry for each.
 */
import type { InC } from "../aspects/in-c.ts";
import { inC as comb } from "./comb/in-c.ts";
import { inC as copy_range } from "./copy_range/in-c.ts";
import { inC as direct_read } from "./direct_read/in-c.ts";
import { inC as direct_write } from "./direct_write/in-c.ts";
import { inC as drop_cache } from "./drop_cache/in-c.ts";
import { inC as fallocate } from "./fallocate/in-c.ts";
import { inC as fsync } from "./fsync/in-c.ts";
import { inC as ftruncate } from "./ftruncate/in-c.ts";
import { inC as mmap_write } from "./mmap_write/in-c.ts";
import { NEEDS_FAULT_INJECTION, failNthOf } from "./operation.ts";
import type { Operation, OperationName, OperationOf } from "./operation.ts";
import { inC as paused_write } from "./paused_write/in-c.ts";
import { inC as power_cut } from "./power_cut/in-c.ts";
import { inC as pread } from "./pread/in-c.ts";
import { inC as pwrite } from "./pwrite/in-c.ts";
import { inC as sync_file_range } from "./sync_file_range/in-c.ts";
import { inC as unlink } from "./unlink/in-c.ts";

const all: { readonly [N in OperationName]: InC<OperationOf<N>, Operation> } = {
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
export const inC = ({ op }: Operation): InC<Operation, Operation> => all[op];

/** Why a C program cannot do it; undefined where it can. */
export const cannotInC = (operation: Operation): string | undefined =>
  failNthOf(operation) === undefined ? undefined : NEEDS_FAULT_INJECTION;
