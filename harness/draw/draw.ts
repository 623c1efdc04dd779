/**
 * Draw: positions, lengths and choices for one case, drawn from fast-check's generator.
 *
 * It exists for speed as much as for its vocabulary: tables are expanded once, and drawing
 * allocates nothing.
 */
import type { Random } from "fast-check";
import type { Space } from "./space.ts";
import {
  COMB_PERCENT,
  LENGTH_WEIGHTS,
  MEET_PERCENT,
  NUDGE_WEIGHTS,
  SCALE_PERCENT,
  VISIT_PERCENT,
  WINDOW_WEIGHTS,
  type Weights,
} from "./weights.ts";

/** The keys of a weight table, each as often as its weight says. */
export function expand<K extends string>(weights: Weights<K>): readonly K[] {
  return (Object.entries(weights) as [K, number][]).flatMap(([key, weight]) =>
    Array.from({ length: weight }, () => key),
  );
}

const nudges = expand(NUDGE_WEIGHTS);
const lengths = expand(LENGTH_WEIGHTS);
const windows = expand<string>(WINDOW_WEIGHTS).map(Number);

/** The longest length of a case that visits long ones, bytes: more than one 2 MiB folio. */
const LONG_BYTES = 2.5 * 2 ** 20;

/** The longest length that is drawn to meet another operation, bytes. */
const MEET_BYTES = 2 ** 20;

/** Points that later operations may meet: those of the last four operations or so. */
const RECENT_POINTS = 8;

/** What a deep case begins with (generation/deep.ts): bytes, but for counts. */
export interface DrawnComb {
  pos: number;
  stride: number;
  teeth: number;
  /** Of a full leaf. */
  entries: number;
}

export class Draw {
  readonly space: Space;
  /** Whether anything that a recording does not hold is to be drawn. */
  readonly everything: boolean;
  /** Which of the case's files it is at; undefined where it has one. */
  file: 0 | 1 | undefined;
  /** The teeth that the case's positions and lengths meet; undefined where it has none. */
  comb: DrawnComb | undefined;
  /** The range that `range` drew last: position and length in bytes. */
  pos = 0;
  len = 1;

  readonly #random: Random;
  readonly #window: number;
  readonly #far: boolean;
  readonly #sparse: boolean;
  readonly #long: boolean;
  #outside: number;
  /** Where operations of this case began and ended, a ring of the last few; bytes. */
  readonly #recent: number[] = [];
  #recentNext = 0;
  /** About where the file ends: calls that fail and shifted ranges are not followed. Bytes. */
  #end = 0;
  /** The same of the case's other file. */
  #otherEnd = 0;

  /** Begin a case: draws its scale. */
  constructor(random: Random, space: Space, everything = false) {
    this.#random = random;
    this.everything = everything;
    this.space = space;
    const blocksNear = Math.max(1, Math.floor(space.dense / space.blockSize / 2));
    this.#window = Math.min(this.pick(windows), blocksNear);
    this.#far = this.percent(SCALE_PERCENT.far);
    this.#sparse = this.percent(SCALE_PERCENT.sparse);
    this.#long = this.percent(SCALE_PERCENT.long);
    this.#outside = space.outside;
  }

  /** An integer in [min, max]. */
  between(min: number, max: number): number {
    return this.#random.nextInt(min, max);
  }

  /** True in `share` of a hundred draws. */
  percent(share: number): boolean {
    return this.#random.nextInt(0, 99) < share;
  }

  /** True in `share` of a thousand draws. */
  perMille(share: number): boolean {
    return this.#random.nextInt(0, 999) < share;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.#random.nextInt(0, from.length - 1)]!;
  }

  /**
   * Take `bytes` of what the case may still allocate outside the dense region; false if that is not
   * left.
   */
  reserve(bytes: number): boolean {
    if (bytes > this.#outside) return false;
    this.#outside -= bytes;
    return true;
  }

  /** `boundary` or a byte next to it, or somewhere in the `grain` bytes after it; never below 0. */
  nudge(boundary: number, grain: number): number {
    switch (this.pick(nudges)) {
      case "on":
        return boundary;
      case "before":
        return boundary === 0 ? 0 : boundary - 1;
      case "after":
        return boundary + 1;
      case "inside":
        return boundary + this.#random.nextInt(0, grain - 1);
    }
  }

  /** The case goes on with its other file. */
  changeFile(): void {
    this.file = this.file === 1 ? 0 : 1;
    [this.#end, this.#otherEnd] = [this.#otherEnd, this.#end];
  }

  /** The file now ends there, as far as that can be told; bytes. */
  endsAt(end: number): void {
    this.#end = end;
  }

  /** The file has data up to there at least, bytes. */
  reaches(end: number): void {
    this.#end = Math.max(this.#end, end);
  }

  /** Remember where an operation began or ended, bytes, so that later ones can meet it. */
  remember(point: number): void {
    this.#recent[this.#recentNext] = point;
    this.#recentNext = (this.#recentNext + 1) % RECENT_POINTS;
  }

  /** A position in the file, bytes, in [0, largest file + 2 blocks). */
  position(): number {
    if (this.comb !== undefined && this.percent(COMB_PERCENT.position)) {
      return this.#atTooth(this.comb);
    }
    const meet = this.#random.nextInt(0, 99);
    if (meet < MEET_PERCENT.recent) {
      if (this.#recent.length > 0) return this.nudge(this.pick(this.#recent), this.space.blockSize);
    } else if (meet < MEET_PERCENT.recent + MEET_PERCENT.end) {
      return this.nudge(this.#end, this.space.blockSize);
    }
    if (this.#sparse && this.percent(VISIT_PERCENT.sparse)) {
      return this.nudge(this.pick(this.space.sparse), this.space.blockSize);
    }
    return this.densePosition();
  }

  /** At a tooth or the gap behind it; often one with which a leaf may begin or end. */
  #atTooth({ pos, stride, teeth, entries }: DrawnComb): number {
    const leaf = this.#random.nextInt(0, Math.floor(teeth / entries)) * entries;
    const tooth = this.percent(COMB_PERCENT.leaf)
      ? leaf + this.#random.nextInt(-1, 1)
      : this.#random.nextInt(0, teeth);
    const gap = this.percent(50) ? this.space.blockSize : 0;
    return this.nudge(pos + Math.max(0, tooth) * stride + gap, this.space.blockSize);
  }

  /** A position at least one byte inside the dense region. */
  densePosition(): number {
    const { blockSize, pageSize, dense, far } = this.space;
    const at =
      this.#far && this.percent(VISIT_PERCENT.far)
        ? this.nudge(this.pick(far), pageSize)
        : this.nudge(this.#random.nextInt(0, this.#window) * blockSize, blockSize);
    return Math.min(at, dense - 1);
  }

  /** The position of a block boundary among the near ones, bytes. */
  alignedPosition(): number {
    return this.#random.nextInt(0, this.#window) * this.space.blockSize;
  }

  /**
   * A length of a range at `pos`, 1 byte to 2.5 MiB: often one that ends where another operation
   * began or ended.
   */
  length(pos: number): number {
    if (this.comb !== undefined && this.percent(COMB_PERCENT.length)) {
      const { stride, entries } = this.comb;
      const leaves = this.#random.nextInt(1, 3) * entries + this.#random.nextInt(-1, 1);
      const teeth = this.percent(COMB_PERCENT.leaf) ? leaves : this.#random.nextInt(1, 16);
      return Math.min(LONG_BYTES, teeth * stride);
    }
    if (this.percent(MEET_PERCENT.length)) {
      const to = this.#recent.length > 0 && this.percent(50) ? this.pick(this.#recent) : this.#end;
      if (to > pos && to - pos <= MEET_BYTES) return to - pos;
    }
    return this.anyLength();
  }

  /** A length, 1 byte to 2.5 MiB, that has nothing to do with other operations. */
  anyLength(): number {
    const { blockSize, pageSize } = this.space;
    if (this.#long && this.percent(VISIT_PERCENT.long)) return this.#longLength();
    switch (this.pick(lengths)) {
      case "oneByte":
        return 1;
      case "withinBlock":
        return this.#random.nextInt(1, blockSize);
      case "blocks":
        return this.nudge(this.#random.nextInt(1, 16) * blockSize, blockSize);
      case "page":
        return this.nudge(pageSize, pageSize);
      case "few":
        return this.nudge(this.#random.nextInt(1, 4) * blockSize, blockSize);
    }
  }

  #longLength(): number {
    const { pageSize } = this.space;
    const folio = pageSize * 2 ** this.#random.nextInt(4, 9);
    return Math.min(LONG_BYTES, this.nudge(folio, this.pick([pageSize, folio / 4])));
  }

  /**
   * Draw `pos` and `len` of a call that does nothing past the end of the file: mostly before it.
   */
  rangeInside(): void {
    this.range();
    if (this.pos < this.#end || this.#end === 0) return;
    const { blockSize, dense } = this.space;
    const blocks = Math.floor((Math.min(this.#end, dense) - 1) / blockSize);
    this.pos = this.nudge(this.#random.nextInt(0, blocks) * blockSize, blockSize);
    this.pos = Math.min(this.pos, dense - 1);
    this.len = Math.min(this.len, dense - this.pos);
  }

  /**
   * Draw `pos` and `len` of a call that may allocate every block it touches, within what the case
   * may allocate.
   */
  range(): void {
    const { blockSize, pageSize, dense } = this.space;
    this.pos = this.position();
    this.len = this.length(this.pos);
    if (this.pos >= dense) {
      this.len = Math.min(this.len, 16 * blockSize);
      // Rounding outwards at both ends costs a block or, for a store through a mapping, a page
      // each.
      if (this.reserve(this.len + 2 * Math.max(blockSize, pageSize))) return;
      this.pos = this.densePosition();
    }
    this.len = Math.min(this.len, dense - this.pos);
  }
}
