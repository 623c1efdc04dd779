/**
 * Operations by programs: an entry for each that one can do. There is none for faulting buffers,
 * shared mappings and fadvise, nor for direct I/O, since dd leaves O_DIRECT off where it likes, nor
 * for a second file; and a comb would be hundreds of processes.
 */
import type { ByProcesses } from "../aspects/by-processes.ts";
import { byProcesses as fallocate } from "./fallocate/processes.ts";
import { byProcesses as fsync } from "./fsync/processes.ts";
import { byProcesses as ftruncate } from "./ftruncate/processes.ts";
import { fileOf, isInjected } from "./operation.ts";
import type { Operation, OperationName, OperationOf } from "./operation.ts";
import { byProcesses as pread } from "./pread/processes.ts";
import { byProcesses as pwrite } from "./pwrite/processes.ts";
import { byProcesses as unlink } from "./unlink/processes.ts";

const all: { readonly [N in OperationName]?: ByProcesses<OperationOf<N>> } = {
  pwrite,
  pread,
  fsync,
  ftruncate,
  fallocate,
  unlink,
};

/**
 * How programs do it; undefined where none can.
 *
 * @param longest bytes that a file may have
 */
export function byProcesses(
  operation: Operation,
  longest: number,
): ByProcesses<Operation> | undefined {
  const how: ByProcesses<Operation> | undefined = all[operation.op];
  if (how === undefined || isInjected(operation) || fileOf(operation) === 1) return undefined;
  return how.isPossible?.(operation, longest) === false ? undefined : how;
}
