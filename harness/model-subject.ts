/**
 * The model as a Subject: translates operations into the model's calls, and its state into observations.
 */
import {
  bytesAt,
  createFileSystem,
  createInode,
  dropCache,
  evictInode,
  fallocate,
  fsync,
  ftruncate,
  mmapWrite,
  pread,
  pwrite,
  sync_file_range,
} from "../model/file-system.ts";
import { adoptZeroed } from "../model/ext4/zeroout.ts";
import { patternTag } from "../model/pattern.ts";
import type { ModelConfig, Override } from "../model/tables.ts";
import { DELAYED, UNWRITTEN, WRITTEN } from "../model/types.ts";
import type { Inode, SuperBlock } from "../model/types.ts";
import type { Extent, ExtentState, Observation } from "./observation.ts";
import { clampOperation } from "./operation.ts";
import type { Operation } from "./operation.ts";
import type { Subject } from "./subject.ts";

const stateNames: Record<typeof WRITTEN | typeof UNWRITTEN | typeof DELAYED, ExtentState> = {
  [WRITTEN]: "written",
  [UNWRITTEN]: "unwritten",
  [DELAYED]: "delayed",
};

/** The call that an operation stands for; what it returned. */
function call(inode: Inode, operation: Operation, tag: number): number {
  switch (operation.op) {
    case "pwrite":
      return pwrite(inode, operation.pos, operation.len, operation.readable, tag);
    case "mmap_write":
      return mmapWrite(inode, operation.pos, operation.len, tag);
    case "pread":
      return pread(inode, operation.pos, operation.len);
    case "fsync":
      return fsync(inode);
    case "sync_file_range":
      return sync_file_range(inode, operation.pos, operation.len);
    case "ftruncate":
      return ftruncate(inode, operation.size);
    case "fallocate":
      return fallocate(inode, operation.mode, operation.pos, operation.len);
    case "drop_cache":
      return dropCache(inode);
  }
}

/**
 * The allocated and the delayed blocks in one list, as FIEMAP shows them. The two never overlap: a delayed block is
 * one that the extent tree has nothing for.
 */
export function extentMap(inode: Inode): Extent[] {
  const map: Extent[] = [];
  for (const { start, end, value } of inode.i_extents) {
    map.push({ lblk: start, len: end - start, state: stateNames[value] });
  }
  if (inode.i_reserved_data_blocks === 0) return map;
  for (const { start, end, value } of inode.i_es_tree) {
    if (value === DELAYED) map.push({ lblk: start, len: end - start, state: "delayed" });
  }
  return map.toSorted((a, b) => a.lblk - b.lblk);
}

/** Blocks that the map holds, delayed ones included. */
export function blocksHeld(map: readonly Extent[]): number {
  let blocks = 0;
  for (const extent of map) blocks += extent.len;
  return blocks;
}

export class ModelSubject implements Subject {
  readonly name = "model";
  readonly #sb: SuperBlock;
  #inode: Inode;

  constructor(config: ModelConfig, overrides: readonly Override[] = []) {
    this.#sb = createFileSystem(config, overrides);
    this.#inode = createInode(this.#sb);
  }

  /** The file of the current case. */
  get inode(): Inode {
    return this.#inode;
  }

  begin(): void {
    this.end();
    this.#inode = createInode(this.#sb);
  }

  end(): void {
    evictInode(this.#inode);
  }

  /** End the case but keep its file, as it is now. */
  keep(): Inode {
    const kept = this.#inode;
    this.#inode = createInode(this.#sb);
    return kept;
  }

  step(operation: Operation, index: number): Observation {
    const inode = this.#inode;
    const applied = clampOperation(operation, inode.i_size);
    const result = applied === undefined ? 0 : call(inode, applied, patternTag(index));
    const reading = operation.op === "pread" && result >= 0;
    return this.#observe(result, reading ? bytesAt(inode, operation.pos, result) : undefined);
  }

  /** Whether there are blocks whose state the model could only guess. */
  get guessed(): boolean {
    return this.#inode.maybeZeroed.size > 0;
  }

  /**
   * Accept, for blocks whose state depends on placement that the model leaves out (model/ext4/zeroout.ts), the state
   * that was seen. Returns how many blocks the model had guessed otherwise.
   */
  adopt(seen: readonly Extent[]): number {
    return adoptZeroed(this.#inode, (lblk) => {
      const extent = seen.find((e) => e.lblk <= lblk && lblk < e.lblk + e.len);
      if (extent === undefined) return { state: undefined, end: lblk + 1 };
      const state = extent.state === "written" ? WRITTEN : UNWRITTEN;
      return {
        state: extent.state === "delayed" ? undefined : state,
        end: extent.lblk + extent.len,
      };
    });
  }

  /** What can be seen now, without an operation; `result` and `read` are those of the last one. */
  #observe(result: number, read: Uint8Array | undefined): Observation {
    const inode = this.#inode;
    const map = extentMap(inode);
    return {
      result,
      i_size: inode.i_size,
      st_blocks: blocksHeld(map) * (this.#sb.s_blocksize / 512),
      map,
      pieces: map.length,
      reserved: inode.i_reserved_data_blocks,
      cache: undefined,
      read,
    };
  }

  /** The observation with the states that were adopted. */
  look(last: Observation): Observation {
    return this.#observe(last.result, last.read);
  }
}
