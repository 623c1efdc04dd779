/**
 * A map from integers to values, stored as sorted, disjoint, half-open intervals; neighbours with
 * the same value are one interval. The extent tree, the extent status tree and the file's contents
 * are each one of these, so that no cost depends on how large or how sparse a file is. Look-up is
 * O(log n), a change O(log n) plus a memmove.
 *
 * Ours, not the kernel's (there: an on-disk B-tree, a red-black tree, the page cache).
 */
import { assert } from "./assert.ts";

/** [start, end) with its value. */
export interface Interval<V> {
  readonly start: number;
  readonly end: number;
  readonly value: V;
}

export class IntervalMap<V> {
  readonly #same: (a: V, b: V) => boolean;
  #starts: number[] = [];
  #ends: number[] = [];
  #values: V[] = [];
  #covered = 0;

  /** `same` says whether two values may be merged; by default identity. */
  constructor(same: (a: V, b: V) => boolean = Object.is) {
    this.#same = same;
  }

  /** How many intervals there are. */
  get size(): number {
    return this.#starts.length;
  }

  /** How many integers have a value. */
  get covered(): number {
    return this.#covered;
  }

  /** The interval number `i`, 0 <= i < size; undefined outside. */
  at(i: number): Interval<V> | undefined {
    const start = this.#starts[i];
    if (start === undefined) return undefined;
    return { start, end: this.#ends[i] as number, value: this.#values[i] as V };
  }

  /** The index of the first interval that ends after `key`; size where there is none. */
  indexAfter(key: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] as number) > key) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The interval that holds `key`. */
  find(key: number): Interval<V> | undefined {
    const i = this.indexAfter(key);
    const start = this.#starts[i];
    return start !== undefined && start <= key ? this.at(i) : undefined;
  }

  /** The value at `key`. */
  get(key: number): V | undefined {
    const i = this.indexAfter(key);
    const start = this.#starts[i];
    return start !== undefined && start <= key ? this.#values[i] : undefined;
  }

  /** The first integer from `key` on that has no value. */
  coveredFrom(key: number): number {
    let at = key;
    for (let i = this.indexAfter(key); (this.#starts[i] ?? Infinity) <= at; i++) {
      at = this.#ends[i] as number;
    }
    return at;
  }

  /** The first interval that ends after `key`, whether or not it holds `key`. */
  next(key: number): Interval<V> | undefined {
    return this.at(this.indexAfter(key));
  }

  /** The end of the last interval; 0 where there is none. */
  get end(): number {
    return this.#ends.at(-1) ?? 0;
  }

  /** Give [start, end) one value. */
  set(start: number, end: number, value: V): void {
    if (start >= end) return;
    const first = this.#cut(start, end);
    this.#covered += end - start;
    let from = first;
    let remove = 0;
    const left = this.#values[first - 1];
    if (first > 0 && this.#ends[first - 1] === start && this.#same(left as V, value)) {
      start = this.#starts[first - 1] as number;
      from = first - 1;
      remove += 1;
    }
    if (this.#starts[first] === end && this.#same(this.#values[first] as V, value)) {
      end = this.#ends[first] as number;
      remove += 1;
    }
    if (remove === 1) {
      // Most often a neighbour only grows: nothing moves.
      this.#starts[from] = start;
      this.#ends[from] = end;
      return;
    }
    this.#starts.splice(from, remove, start);
    this.#ends.splice(from, remove, end);
    this.#values.splice(from, remove, value);
  }

  /** Take [start, end) out. */
  delete(start: number, end: number): void {
    if (start < end) this.#cut(start, end);
  }

  /** Take out [start, end) and move everything from `end` on down by end - start. */
  collapse(start: number, end: number): void {
    assert(start <= end, "what collapses ends behind its beginning");
    const first = this.#cut(start, end);
    this.#shift(first, start - end);
    assert(
      first === 0 || (this.#starts[first] ?? Infinity) >= this.#ends[first - 1]!,
      "an interval begins no sooner than the one before it ends",
    );
    this.#mergeAt(first);
  }

  /** Move everything from `start` on up by `len`, leaving nothing at [start, start + len). */
  insert(start: number, len: number): void {
    if (len <= 0) return;
    this.#shift(this.#cut(start, start), len);
    assert(this.get(start) === undefined, "what is inserted has no value");
  }

  clear(): void {
    this.#starts = [];
    this.#ends = [];
    this.#values = [];
    this.#covered = 0;
  }

  clone(): IntervalMap<V> {
    const copy = new IntervalMap<V>(this.#same);
    copy.#starts = this.#starts.slice();
    copy.#ends = this.#ends.slice();
    copy.#values = this.#values.slice();
    copy.#covered = this.#covered;
    return copy;
  }

  *[Symbol.iterator](): IterableIterator<Interval<V>> {
    for (let i = 0; i < this.#starts.length; i++) yield this.at(i) as Interval<V>;
  }

  /** The parts of the map inside [start, end), clipped to it, in order. */
  *within(start: number, end: number): IterableIterator<Interval<V>> {
    if (start >= end) return;
    for (let i = this.indexAfter(start); i < this.#starts.length; i++) {
      const s = this.#starts[i] as number;
      if (s >= end) return;
      yield {
        start: Math.max(s, start),
        end: Math.min(this.#ends[i] as number, end),
        value: this.#values[i] as V,
      };
    }
  }

  /**
   * Empty [start, end), splitting what straddles its borders; the index where an interval at start
   * belongs.
   */
  #cut(start: number, end: number): number {
    const i = this.indexAfter(start);
    const s = this.#starts[i];
    if (s === undefined) return i;
    const e = this.#ends[i] as number;
    if (s < start && e > end) {
      this.#covered -= end - start;
      this.#ends[i] = start;
      this.#starts.splice(i + 1, 0, end);
      this.#ends.splice(i + 1, 0, e);
      this.#values.splice(i + 1, 0, this.#values[i] as V);
      return i + 1;
    }
    let first = i;
    if (s < start) {
      this.#covered -= Math.max(e - start, 0);
      this.#ends[i] = start;
      first = i + 1;
    }
    let last = first;
    while (last < this.#starts.length && (this.#ends[last] as number) <= end) {
      this.#covered -= (this.#ends[last] as number) - (this.#starts[last] as number);
      last += 1;
    }
    if (last > first) {
      this.#starts.splice(first, last - first);
      this.#ends.splice(first, last - first);
      this.#values.splice(first, last - first);
    }
    const next = this.#starts[first];
    if (next !== undefined && next < end) {
      this.#covered -= end - next;
      this.#starts[first] = end;
    }
    return first;
  }

  #shift(from: number, by: number): void {
    for (let i = from; i < this.#starts.length; i++) {
      this.#starts[i] = (this.#starts[i] as number) + by;
      this.#ends[i] = (this.#ends[i] as number) + by;
    }
  }

  #mergeAt(i: number): void {
    if (i === 0 || i >= this.#starts.length) return;
    if (this.#ends[i - 1] !== this.#starts[i]) return;
    if (!this.#same(this.#values[i - 1] as V, this.#values[i] as V)) return;
    this.#ends[i - 1] = this.#ends[i] as number;
    this.#starts.splice(i, 1);
    this.#ends.splice(i, 1);
    this.#values.splice(i, 1);
  }
}
