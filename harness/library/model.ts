/**
 * `ext4-conform/model`: what ext4's write path must do with a file, as a thing to step and to look
 * at. No kernel, no I/O, no clock, no randomness: it runs wherever JavaScript does.
 */
import { variants as allVariants } from "../../images/variants.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import { bytesAt } from "../../model/file-system.ts";
import { DELAYED, HOLE, UNWRITTEN, WRITTEN } from "../../model/include/types.ts";
import { cachedBlocks } from "../../model/state.ts";
import { UsageError } from "../case/failure.ts";
import type { CacheExtent, Extent, Observation } from "../case/observation.ts";
import { isModelled } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import { overridesOf, sideOf } from "../differences/side.ts";
import { extentMap, ModelSubject } from "../lockstep/model-subject.ts";
import type { Operation } from "../operations/operation.ts";
import { operationFault } from "./operation-fault.ts";

export type * from "../case/observation.ts";
export type { Operation } from "../operations/operation.ts";

/**
 * What a user of the file sees after an operation: what it returned, stat(2), FIEMAP, what is
 * reserved and what the page cache has; the bytes of a read, what was seen in a pause, what a power
 * cut would leave.
 */
export type Seen = Pick<
  Observation,
  "result" | "i_size" | "st_blocks" | "map" | "reserved" | "pages" | "read" | "during" | "cut"
>;

/** What the file is, the inside of it too. */
export interface FileState extends Pick<Observation, "i_size" | "st_blocks" | "reserved"> {
  /** The size in the inode on disk, bytes: what is left after a power cut ends there. */
  i_disksize: number;
  /** Allocated and delayed blocks. */
  map: Extent[];
  /** The extent status tree, which remembers holes too. */
  status: CacheExtent[];
  /** Blocks that are in the page cache. */
  cached: { block: number; uptodate: boolean; dirty: boolean }[];
}

/** The file systems that have a model: names and what each is for. */
export const variants: readonly Pick<Variant, "name" | "purpose">[] = allVariants
  .filter(isModelled)
  .map(({ name, purpose }) => ({ name, purpose }));

export interface KnownDeviation {
  id: string;
  /** What goes wrong, one sentence. */
  claim: string;
  /** Why, in terms of the kernel's code. */
  reason: string;
  /** Kernels. */
  seenIn: readonly string[];
}

/** What kernels do and should not: ids, and what goes wrong in a sentence. */
export const deviations: readonly KnownDeviation[] = knownDeviations.map(
  ({ id, claim, reason, seenIn }) => ({ id, claim, reason, seenIn }),
);

const STATES = {
  [WRITTEN]: "written",
  [UNWRITTEN]: "unwritten",
  [DELAYED]: "delayed",
  [HOLE]: "hole",
} as const;

/** One file on a file system of its own; a second one where operations say `file: 1`. */
export class Model {
  readonly #model: ModelSubject;
  /** Operations that were applied to the file. */
  #steps = 0;

  /**
   * @param what `VARIANT[@KERNEL][+DEVIATION...]`, as `ext4-conform differences` takes it:
   *   "4k-delalloc", "4k-nodelalloc@6.18", "4k-delalloc-iomap+delayed-blocks-not-new". "+known" is
   *   all that the kernel is known to show; without it the model is of the kernel as it should be.
   * @throws an error of the name UsageError where there is no such thing, which says what there is
   */
  constructor(what = "4k-delalloc") {
    const side = sideOf(what);
    this.#model = new ModelSubject(side.config, overridesOf(side));
  }

  /**
   * Perform an operation, then look, as the tool does: the look itself (FIEMAP) leaves something in
   * the extent status tree. What a write stores depends on how many operations came before it on
   * this file, so that no two writes store the same bytes.
   *
   * @throws an error of the name UsageError where it is no operation: one line that says which field
   *   is wrong, as `parseOperations` of `ext4-conform/operations` does for a list. One of the name
   *   ModelBroken is a bug of the model.
   */
  step(operation: Operation): Seen {
    const fault = operationFault(operation);
    if (fault !== undefined) throw new UsageError(`no operation: ${fault}`);
    const seen = this.#model.step(operation, this.#steps);
    this.#steps += 1;
    const { result, i_size, st_blocks, map, reserved, pages, read, during, cut } = seen;
    return {
      result,
      i_size,
      st_blocks,
      map,
      reserved,
      ...(pages && { pages }),
      ...(read && { read }),
      ...(during && { during }),
      ...(cut && { cut }),
    };
  }

  /** Look at the file that the last operation was about, and leave nothing behind. */
  look(): FileState {
    const { inode } = this.#model;
    const { i_size, i_disksize, i_extents, i_reserved_data_blocks, i_sb } = inode;
    const blocks = i_extents.covered + i_reserved_data_blocks;
    return {
      i_size,
      i_disksize,
      st_blocks: blocks * (i_sb.s_blocksize / 512),
      reserved: i_reserved_data_blocks,
      map: extentMap(inode),
      status: [...inode.i_es_tree].map(({ start, end, value }) => ({
        lblk: start,
        len: end - start,
        state: STATES[value],
      })),
      cached: cachedBlocks(inode),
    };
  }

  /** The bytes [pos, pos + len) of that file, as a read would return them; what is past EOF is 0. */
  bytes(pos: number, len: number): Uint8Array {
    return bytesAt(this.#model.inode, pos, len);
  }

  /** Ids of the deviations that had a part in what was done. */
  get deviated(): ReadonlySet<string> {
    return this.#model.deviated;
  }

  /** Go on with an empty file, on the same file system. */
  begin(): void {
    this.#model.begin();
    this.#steps = 0;
  }
}
