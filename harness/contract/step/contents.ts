/**
 * The bytes that a file must hold: those that writes put there, less what was truncated, punched
 * and zeroed since. All others are zero.
 *
 * It is a map of byte ranges, so its cost depends on the operations and not on the file's size.
 */
import { emptyContents, putBytes } from "../../../model/include/contents.ts";
import type { IntervalMap } from "../../../model/include/interval-map.ts";
import { UNKNOWN_TAG, pattern } from "../../../model/include/pattern.ts";
import type { Observation } from "../../case/observation.ts";
import type { FileBytes } from "../../aspects/effects.ts";
import { effectsOf, isWrite, targetOf } from "../../operations/operation.ts";
import type { Operation } from "../../operations/operation.ts";

let zeros = new Uint8Array(0);

function isZero(bytes: Uint8Array): boolean {
  if (zeros.length < bytes.length) zeros = new Uint8Array(bytes.length);
  return Buffer.compare(bytes, zeros.subarray(0, bytes.length)) === 0;
}

export class Contents implements FileBytes {
  #bytes = emptyContents();
  /** False once an operation failed half-way, so that nobody can say what it did. */
  known = true;
  /** The file that the operation reads. */
  #source: Contents = this;

  /** A case begins: the file is empty. */
  clear(): void {
    this.#bytes.clear();
    this.known = true;
  }

  /** All of it as data, equal for equal contents. */
  fingerprint(): unknown {
    return this.known ? [...this.#bytes].map(({ start, end, value }) => [start, end, value]) : null;
  }

  /**
   * The first byte in [from, end) that was written, and not taken away since; -1 where there is
   * none.
   */
  firstIn(from: number, end: number): number {
    if (!this.known) return -1;
    for (const { start, value } of this.#bytes.within(from, end)) {
      if (value.tag !== UNKNOWN_TAG) return start;
    }
    return -1;
  }

  /**
   * Nobody promises any more what data is where it was written and not synced (`durable`): it may
   * be there, or zeros, for what the device refuses stays unwritten. The same of what the call was
   * about that said so.
   */
  doubt(durable: IntervalMap<true>, call: Operation): void {
    const unknown = { tag: UNKNOWN_TAG, delta: 0 };
    const data = [...this.#bytes].map(({ start, end }) => ({ start, end }));
    const target = isWrite(call) ? targetOf(call) : undefined;
    if (target) data.push({ start: target.pos, end: target.pos + target.len });
    for (const { start, end } of data) {
      let at = start;
      for (const safe of durable.within(start, end)) {
        this.#bytes.set(at, safe.start, unknown);
        at = safe.end;
      }
      this.#bytes.set(at, end, unknown);
    }
  }

  /**
   * Follow `operation`, number `index` of its case, after which `seen` was seen. It reads from
   * `source`.
   */
  apply(
    operation: Operation,
    index: number,
    seen: Pick<Observation, "result" | "during">,
    source: Contents = this,
  ): void {
    this.#source = source;
    effectsOf(operation).change?.(operation, index, seen, this);
  }

  put(pos: number, count: number, tag: number, from: number): void {
    this.#bytes.set(pos, pos + count, { tag, delta: from - pos });
  }

  remove(pos: number, end: number): void {
    this.#bytes.delete(pos, end);
  }

  move(from: number, by: number): void {
    const moved = [...this.#bytes.within(from, Infinity)];
    this.#bytes.delete(from, Infinity);
    for (const { start, end, value } of moved) {
      this.#bytes.set(start + by, end + by, { tag: value.tag, delta: value.delta - by });
    }
  }

  copyIn(pos: number, count: number, from: number): void {
    const { known, bytes } = this.#source.held;
    this.known &&= known;
    putBytes(this.#bytes, pos, pos + count, { of: bytes, delta: from - pos });
  }

  /** What is held, and whether that is all. */
  get held(): { known: boolean; bytes: ReturnType<typeof emptyContents> } {
    return { known: this.known, bytes: this.#bytes };
  }

  loseTrack(): void {
    this.known = false;
  }

  /**
   * The first of the bytes `read` at `pos` that is not what it must be, as its offset in `read`; -1
   * for none.
   */
  firstWrong(read: Uint8Array, pos: number): number {
    if (!this.known) return -1;
    const last = pos + read.length;
    let at = pos;
    for (const { start, end, value } of this.#bytes.within(pos, last)) {
      if (!isZero(read.subarray(at - pos, start - pos))) return this.#search(read, pos, at, start);
      at = end;
      if (value.tag === UNKNOWN_TAG) continue;
      const from = start + value.delta;
      const right = pattern(value.tag).subarray(from, from + end - start);
      if (Buffer.compare(read.subarray(start - pos, end - pos), right) !== 0) {
        return this.#search(read, pos, start, end);
      }
    }
    return isZero(read.subarray(at - pos)) ? -1 : this.#search(read, pos, at, last);
  }

  #search(read: Uint8Array, pos: number, from: number, end: number): number {
    for (let at = from; at < end; at++) if (read[at - pos] !== this.byteAt(at)) return at - pos;
    return -1;
  }

  /** A copy, for a file that is looked at when the contract has gone on to the next. */
  copy(): Contents {
    const copied = new Contents();
    copied.known = this.known;
    copied.#bytes = this.#bytes.clone();
    return copied;
  }

  /** The `len` bytes at `pos`. */
  bytesAt(pos: number, len: number): Uint8Array {
    const bytes = new Uint8Array(len);
    for (const { start, end, value } of this.#bytes.within(pos, pos + len)) {
      bytes.set(pattern(value.tag).subarray(start + value.delta, end + value.delta), start - pos);
    }
    return bytes;
  }

  /** The byte at `pos`. */
  byteAt(pos: number): number {
    const source = this.#bytes.get(pos);
    return source === undefined ? 0 : pattern(source.tag)[pos + source.delta]!;
  }
}
