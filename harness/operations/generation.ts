/**
 * Generation of operations: an entry for each. What is drawn depends on their order, so a new one
 * comes last.
 */
import type { Generation } from "../aspects/generation.ts";
import { generation as comb } from "./comb/generate.ts";
import { generation as copy_range } from "./copy_range/generate.ts";
import { generation as direct_read } from "./direct_read/generate.ts";
import { generation as direct_write } from "./direct_write/generate.ts";
import { generation as drop_cache } from "./drop_cache/generate.ts";
import { generation as fallocate } from "./fallocate/generate.ts";
import { generation as fsync } from "./fsync/generate.ts";
import { generation as ftruncate } from "./ftruncate/generate.ts";
import { generation as mmap_write } from "./mmap_write/generate.ts";
import { generation as paused_write } from "./paused_write/generate.ts";
import { generation as power_cut } from "./power_cut/generate.ts";
import { generation as pread } from "./pread/generate.ts";
import { generation as pwrite } from "./pwrite/generate.ts";
import { generation as sync_file_range } from "./sync_file_range/generate.ts";
import { generation as unlink } from "./unlink/generate.ts";
import type { Operation, OperationName, OperationOf } from "./operation.ts";

const all: { readonly [N in OperationName]: Generation<OperationOf<N>> } = {
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
  direct_write,
  direct_read,
  copy_range,
  comb,
};

/** Of operations of its name; the functions take those of that name only. */
export const generationOf = ({ op }: { op: OperationName }): Generation<Operation> => all[op];

/**
 * Names, each as often as its share says: of what versions 1 and 2 of recordings can hold, or of
 * all, or of all in a case of two files or a deep one.
 */
export function namesToDraw(
  of: "recordable" | "all" | "twoFiles" | "deep",
): readonly OperationName[] {
  const names = Object.keys(all) as OperationName[];
  return names.flatMap((op) =>
    Array.from({ length: all[op].share[of] ?? all[op].share.all }, () => op),
  );
}
