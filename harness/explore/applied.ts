/**
 * One operation on a copy of a file, with the look that comes after every one.
 */
import { fiemap } from "../../model/file-system.ts";
import { copyFile } from "../../model/state.ts";
import type { Inode } from "../../model/include/types.ts";
import { modelCall } from "../operations/on-model.ts";
import { clampOperation } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { fits } from "./alphabet.ts";

/** What an operation came to. */
export interface Applied {
  /** The file after it; the one that was given is as it was. */
  inode: Inode;
  /** What the call returned: bytes, 0, or -errno. */
  result: number;
}

/**
 * The operation on a file that may have `most` bytes, writing from region `tag`
 * (model/include/pattern.ts); undefined where it is not tried there: it would make the file longer,
 * or nothing of it is left for a file of this size.
 */
export function applied(
  inode: Inode,
  operation: Operation,
  most: number,
  tag: number,
): Applied | undefined {
  const end = Math.max(inode.i_size, inode.i_extents.end * inode.i_sb.s_blocksize);
  if (!fits(operation, end, most)) return undefined;
  const clamped = clampOperation(operation, inode.i_size);
  const call = clamped && modelCall(clamped);
  if (clamped === undefined || call === undefined) return undefined;
  const after = copyFile(inode);
  const result = call.call(after, clamped, tag, () => after);
  fiemap(after, 0, Infinity);
  return { inode: after, result };
}
