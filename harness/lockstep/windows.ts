/**
 * Windows: which blocks of the file to look at after an operation.
 *
 * A look at the whole file costs the kernel time for every extent of it, twice (FIEMAP and the
 * extent status cache, up to half a microsecond each). So as long as a file has few extents every
 * look is at the whole of it; where it has many, most looks are at the blocks that the operation
 * touched, or that it wrote back, with a margin on both sides. A whole look still comes now and
 * then, the seldomer the more extents there are, after what moves all blocks, and when the case
 * ends. So no operation costs more because of those before it, and whatever changed elsewhere is
 * found in the same case. Sizes, st_blocks and the reservation are always those of the whole file.
 *
 * Shrinking and replay look at the whole file every time: `alwaysWhole`.
 */
import { EXT_MAX_BLOCKS } from "../../model/include/types.ts";
import type { BlockRange } from "../case/observation.ts";
import { ALL_BYTES, NO_BYTES } from "../aspects/effects.ts";
import type { ByteRange } from "../aspects/effects.ts";
import { effectsOf, isInjected } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";

/** Files of at most so many extents are always looked at whole. */
const FEW_EXTENTS = 64;

/** A whole look comes after one operation for each so many extents. */
const EXTENTS_PER_OPERATION = 8;

/**
 * Bytes beside the operation's range that are looked at too: what ext4 zeroes around a converted
 * block (extent_max_zeroout_kb, 32 KiB), and as much again.
 */
const MARGIN_BYTES = 64 * 1024;

/** Ranges that wait for writeback; more than that, and the look after it is at the whole file. */
const MAX_DIRTY = 256;

/** Sorted, disjoint ranges that do not touch, from any. */
function joined(ranges: readonly BlockRange[]): BlockRange[] {
  const result: BlockRange[] = [];
  for (const { lblk, end } of ranges.toSorted((a, b) => a.lblk - b.lblk)) {
    const last = result.at(-1);
    if (last !== undefined && lblk <= last.end) last.end = Math.max(last.end, end);
    else result.push({ lblk, end });
  }
  return result;
}

export class Windows {
  readonly #blockSize: number;
  /** Every look is at the whole file. */
  alwaysWhole = true;
  /** What was touched since the last writeback of the whole file. */
  #dirty: BlockRange[] = [];
  /** Extents of the last whole look. */
  #extents = 0;
  /** Extents that windows showed since. */
  #more = 0;
  #sinceWhole = 0;

  /** `blockSize`: bytes. */
  constructor(blockSize: number) {
    this.#blockSize = blockSize;
  }

  /** A case begins. */
  begin(): void {
    this.#dirty = [];
    this.#extents = 0;
    this.#more = 0;
    this.#sinceWhole = 0;
  }

  /**
   * Where to look after `operation` (undefined where nothing was called), which took i_size from
   * `before` to `after`; undefined for the whole file. Ranges are sorted, disjoint and do not
   * touch.
   */
  after(
    operation: Operation | undefined,
    before: number,
    after: number,
    last: boolean,
  ): readonly BlockRange[] | undefined {
    if (this.alwaysWhole) return undefined;
    this.#sinceWhole += 1;
    const effects = operation && effectsOf(operation);
    const range = operation && effects ? effects.touches(operation, before, after) : NO_BYTES;
    const own = range === NO_BYTES ? [] : this.#blocksOf(range, before, after);
    const windows = range === NO_BYTES && operation !== undefined ? this.#dirty : own;
    if (effects?.syncsAll === true) this.#dirty = [];
    else this.#remember(own);
    // What the device refused is seen in all the folios that were to be written, what memory did
    // past EOF.
    const injected = operation !== undefined && isInjected(operation);
    return this.#due(last) || injected || range === ALL_BYTES || windows.length > MAX_DIRTY
      ? undefined
      : joined(windows);
  }

  /** What a look showed: `extents` before merging. Returns how many the whole file may have. */
  saw(extents: number, whole: boolean): number {
    if (whole) {
      this.#extents = extents;
      this.#more = 0;
      this.#sinceWhole = 0;
    } else {
      this.#more += extents;
    }
    return this.#extents + this.#more;
  }

  #due(last: boolean): boolean {
    if (last || this.#extents <= FEW_EXTENTS) return true;
    return this.#sinceWhole * EXTENTS_PER_OPERATION >= this.#extents;
  }

  /**
   * Once there are too many it does not matter how many more: the next writeback is looked at
   * whole.
   */
  #remember(ranges: readonly BlockRange[]): void {
    if (this.#dirty.length > MAX_DIRTY) return;
    for (const range of ranges) {
      const last = this.#dirty.at(-1);
      const next = last !== undefined && range.lblk <= last.end && last.lblk <= range.end;
      if (!next) this.#dirty.push(range);
      else this.#dirty[this.#dirty.length - 1] = joined([last, range])[0]!;
    }
    if (this.#dirty.length > MAX_DIRTY) this.#dirty = joined(this.#dirty);
  }

  /** The range with its margin; and the block at a former EOF, the rest of which is zeroed. */
  #blocksOf({ pos, end }: ByteRange, before: number, after: number): BlockRange[] {
    const own = this.#withMargin(pos, end);
    const ranges = before === after ? [own] : [own, this.#withMargin(before, before)];
    return ranges.filter(({ lblk }) => lblk < EXT_MAX_BLOCKS);
  }

  #withMargin(pos: number, end: number): BlockRange {
    return {
      lblk: Math.max(0, Math.floor((pos - MARGIN_BYTES) / this.#blockSize)),
      end: Math.ceil((end + MARGIN_BYTES) / this.#blockSize),
    };
  }
}
