/**
 * Operations by system calls: an entry for each.
 */
import type { KernelCall, OnKernel, OpenFile } from "../aspects/on-kernel.ts";
import { onKernel as comb } from "./comb/kernel.ts";
import { onKernel as copy_range } from "./copy_range/kernel.ts";
import { onKernel as direct_read } from "./direct_read/kernel.ts";
import { onKernel as direct_write } from "./direct_write/kernel.ts";
import { onKernel as drop_cache } from "./drop_cache/kernel.ts";
import { onKernel as fallocate } from "./fallocate/kernel.ts";
import { onKernel as fsync } from "./fsync/kernel.ts";
import { onKernel as ftruncate } from "./ftruncate/kernel.ts";
import { onKernel as mmap_write } from "./mmap_write/kernel.ts";
import type { Operation, OperationName, OperationOf } from "./operation.ts";
import { onKernel as paused_write } from "./paused_write/kernel.ts";
import { onKernel as power_cut } from "./power_cut/kernel.ts";
import { onKernel as pread } from "./pread/kernel.ts";
import { onKernel as pwrite } from "./pwrite/kernel.ts";
import { onKernel as sync_file_range } from "./sync_file_range/kernel.ts";
import { onKernel as unlink } from "./unlink/kernel.ts";

const all: { readonly [N in OperationName]: OnKernel<OperationOf<N>, Operation> } = {
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
export const onKernel = ({ op }: Operation): OnKernel<Operation, Operation> => all[op];

/** The call that it is; undefined where it is more than one. */
export function kernelCall(operation: Operation): KernelCall<Operation> | undefined {
  const how = onKernel(operation);
  return "call" in how ? how : undefined;
}

/** Perform what is one call. What it returned, or -errno. */
export function callOnKernel(file: OpenFile, operation: Operation, tag: number): number {
  const call = kernelCall(operation);
  if (call === undefined) throw new Error(`${operation.op} is more than one call`);
  return call.call(file, operation, tag);
}
