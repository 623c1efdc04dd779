/**
 * How often what is generated, as data. Numbers are shares of their own table; tables add up to 100
 * where that is possible, so that a share reads as a percentage.
 *
 * A case first draws its *scale* (how wide the window of near positions is, whether it visits far
 * or sparse positions and long lengths at all), then its operations. Cases of different scale meet
 * different boundaries, and the operations of one case still meet each other.
 */
/** Keys of a table are what is drawn, values are shares: integers, 0 switches the entry off. */
export type Weights<K extends string | number> = Readonly<Record<K, number>>;

/** Blocks from the start of the file that near positions lie in. */
export const WINDOW_WEIGHTS: Weights<4 | 16 | 64> = { 4: 30, 16: 40, 64: 30 };

/** Percent of the cases that visit, besides near positions, ... */
export const SCALE_PERCENT = {
  /** ... page and folio boundaries in the first few MiB. */
  far: 30,
  /** ... the largest offsets of the file system and a few powers of two on the way there. */
  sparse: 12,
  /** ... lengths up to 2.5 MiB, which cost milliseconds each. */
  long: 8,
} as const;

/** Percent of a visiting case's operations that go there. */
export const VISIT_PERCENT = { far: 30, sparse: 15, long: 20 } as const;

/** Percent of the positions and lengths that meet earlier operations of the case. */
export const MEET_PERCENT = {
  /** Positions at the beginning or end of an operation shortly before. */
  recent: 18,
  /** Positions at the end of the file, as far as it is known without running the case. */
  end: 12,
  /** Lengths that reach to either. */
  length: 15,
} as const;

/**
 * Where a position lies relative to the boundary that was drawn; `inside` is anywhere in the block
 * after it.
 */
export const NUDGE_WEIGHTS: Weights<"on" | "before" | "after" | "inside"> = {
  on: 58,
  before: 14,
  after: 14,
  inside: 14,
};

export const LENGTH_WEIGHTS: Weights<"oneByte" | "withinBlock" | "blocks" | "page" | "few"> = {
  oneByte: 6,
  withinBlock: 14,
  /** A number of blocks, 1 to 16, nudged. */
  blocks: 58,
  /** One kernel page, nudged. */
  page: 12,
  /** Up to four blocks, nudged. */
  few: 10,
};

/** Percent of punch_hole and sync_file_range calls that reach to the end of the largest file. */
export const TO_THE_END_PERCENT = 8;

/** In deep cases, percent of what meets the teeth of their comb: ... */
export const COMB_PERCENT = {
  /** ... positions, */
  position: 60,
  /** ... lengths, of so many teeth. */
  length: 40,
  /** Of both, those at a whole number of leaves. */
  leaf: 50,
} as const;
