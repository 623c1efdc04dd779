import type { Inode } from "../../../model/include/types.ts";
import { patternTag } from "../../../model/include/pattern.ts";
import { pausedWrite } from "../../../model/file-system.ts";
import type { PausedLook } from "../../case/observation.ts";
import type { ModelCall, ModelEvent, ModelFiles, Unknown } from "../../aspects/on-model.ts";
import { onModel as drop_cache } from "../drop_cache/model.ts";
import { onModel as fsync } from "../fsync/model.ts";
import { onModel as mmap_write } from "../mmap_write/model.ts";
import { onModel as pread } from "../pread/model.ts";
import { onModel as sync_file_range } from "../sync_file_range/model.ts";
import { duringTag, effectsDuring } from "./operation.ts";
import type { DuringOperation, PausedWrite } from "./operation.ts";

const calls: {
  readonly [N in DuringOperation["op"]]: ModelCall<Extract<DuringOperation, { op: N }>>;
} = { mmap_write, pread, fsync, sync_file_range, drop_cache };

/** What was read in a pause, one after the other, and what of that nobody can know. */
class Reads {
  readonly #parts: Uint8Array[] = [];
  readonly unknown: Unknown[] = [];
  #length = 0;

  add(bytes: Uint8Array, unknown: readonly Unknown[]): void {
    for (const { start, end } of unknown) {
      this.unknown.push({ start: this.#length + start, end: this.#length + end });
    }
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  get bytes(): Uint8Array | undefined {
    return this.#parts.length === 0 ? undefined : new Uint8Array(Buffer.concat(this.#parts));
  }
}

function performDuring(
  { inode, bytesAt }: ModelFiles,
  one: DuringOperation,
  tag: number,
  reads: Reads,
): number {
  const { clamp } = effectsDuring(one);
  const done = clamp === undefined ? one : clamp(one, inode.i_size);
  if (done === undefined) return 0;
  const { call, read, unknown }: ModelCall<DuringOperation> = calls[done.op];
  const result = call(inode, done, tag);
  if (result < 0) return result;
  const bytes = read?.(inode, done, result, bytesAt);
  if (bytes !== undefined) reads.add(bytes, unknown?.(inode, done, result) ?? []);
  return result;
}

export const onModel: ModelEvent<PausedWrite> = {
  perform(files, operation, index) {
    const inode: Inode = files.inode;
    const reads = new Reads();
    let during: PausedLook[] | undefined;
    const result = pausedWrite(inode, operation, patternTag(index), () => {
      during = [files.look(0)];
      for (const [i, one] of operation.during.entries()) {
        during.push(files.look(performDuring(files, one, duringTag(index, i), reads)));
      }
      return operation.after === "continue";
    });
    return { result, read: reads.bytes, unknown: reads.unknown, during };
  },
};
