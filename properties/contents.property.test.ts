/**
 * What a read returns, held against an array of bytes that knows nothing of blocks, pages or the
 * model.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModelSubject } from "../harness/lockstep/model-subject.ts";
import { FALLOCATE_MODES } from "../harness/operations/fallocate/operation.ts";
import type { FallocateMode } from "../harness/operations/fallocate/operation.ts";
import { COMB_CALLS } from "../harness/operations/comb/operation.ts";
import type { Operation, OperationOf } from "../harness/operations/operation.ts";
import { PATTERN_BYTES, directBytes, pattern, patternTag } from "../model/include/pattern.ts";
import { settings } from "./settings.ts";

const EFAULT = -14;
const EINVAL = -22;

/** A file as POSIX has it: bytes, and how many. */
class NaiveFile {
  bytes: number[] = [];
  readonly #blockSize: number;

  constructor(blockSize: number) {
    this.#blockSize = blockSize;
  }

  get size(): number {
    return this.bytes.length;
  }

  #resize(size: number): void {
    while (this.bytes.length < size) this.bytes.push(0);
    this.bytes.length = size;
  }

  /** The last `count` mapped bytes of the user's buffer, as far as they are written. */
  #put(pos: number, count: number, mapped: number, index: number): void {
    const from = PATTERN_BYTES - mapped;
    for (let i = 0; i < count; i++) this.bytes[pos + i] = pattern(patternTag(index))[from + i]!;
  }

  #clear(pos: number, end: number): void {
    for (let i = pos; i < Math.min(end, this.size); i++) this.bytes[i] = 0;
  }

  #fallocate(mode: FallocateMode, pos: number, len: number): number {
    const end = pos + len;
    const aligned = pos % this.#blockSize === 0 && len % this.#blockSize === 0;
    switch (mode) {
      case "keep_size":
        return 0;
      case "zero_range":
      case "zero_range_keep_size":
      case "punch_hole":
        this.#clear(pos, end);
        break;
      case "collapse_range":
        if (!aligned || end >= this.size) return EINVAL;
        this.bytes.splice(pos, len);
        return 0;
      case "insert_range":
        if (!aligned || pos >= this.size) return EINVAL;
        this.bytes.splice(pos, 0, ...Array.from({ length: len }, () => 0));
        return 0;
      case "allocate":
        break;
    }
    if (mode === "allocate" || mode === "zero_range") this.#resize(Math.max(this.size, end));
    return 0;
  }

  /** Each tooth as a call of its own. */
  #comb(comb: OperationOf<"comb">, index: number): number {
    const { call, pos, len, tooth, stride, backwards } = comb;
    const places: number[] = [];
    for (let at = 0; at < len; at += stride) places.push(at);
    if (backwards === true) places.reverse();
    for (const [i, at] of places.entries()) {
      const part = Math.min(tooth, len - at);
      if (call !== "pwrite") this.#fallocate(call, pos + at, part);
      else {
        this.#resize(Math.max(this.size, pos + at + part));
        this.#put(pos + at, part, part, index + i + Math.floor(i / 4));
      }
    }
    return places.length;
  }

  /** Apply operation number `index`; what the call returns. */
  apply(operation: Operation, index: number): number {
    switch (operation.op) {
      case "pwrite": {
        const { pos, readable } = operation;
        if (readable === 0) return EFAULT;
        this.#resize(Math.max(this.size, pos + readable));
        this.#put(pos, readable, readable, index);
        return readable;
      }
      case "direct_write": {
        const { pos, len } = operation;
        this.#resize(Math.max(this.size, pos + len));
        this.#put(pos, len, directBytes(len), index);
        return len;
      }
      case "mmap_write": {
        const len = Math.min(operation.len, this.size - operation.pos);
        if (len > 0) this.#put(operation.pos, len, len, index);
        return 0;
      }
      case "comb":
        return this.#comb(operation, index);
      case "copy_range": {
        const { pos, to_pos } = operation;
        const count = Math.max(0, Math.min(operation.len, this.size - pos));
        const bytes = this.bytes.slice(pos, pos + count);
        if (count > 0) this.#resize(Math.max(this.size, to_pos + count));
        this.bytes.splice(to_pos, count, ...bytes);
        return count;
      }
      case "pread":
      case "direct_read":
        return Math.max(0, Math.min(operation.len, this.size - operation.pos));
      case "ftruncate":
        this.#resize(operation.size);
        return 0;
      case "fallocate":
        return this.#fallocate(operation.mode, operation.pos, operation.len);
      case "fsync":
      case "drop_cache":
      case "sync_file_range":
      case "power_cut":
      case "unlink":
        return 0;
      case "paused_write":
        throw new Error("the reference has no pauses");
    }
  }
}

const KIB = 1024;
const pos = fc.oneof(
  fc.nat(64 * KIB),
  fc.nat(64).map((n) => n * KIB),
  fc.nat(16).map((n) => n * 4 * KIB),
);
const len = fc.oneof(
  fc.integer({ min: 1, max: 16 * KIB }),
  fc.integer({ min: 1, max: 4 }).map((n) => n * 4 * KIB),
);

/** What direct I/O is aligned to; how it fails where it is not is no matter of contents. */
const sectors = fc.nat(128).map((n) => n * 512);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({ op: fc.constant("pwrite" as const), pos, len, short: fc.option(fc.nat(100)) })
      .map(({ short, ...write }) => ({
        ...write,
        readable: short === null ? write.len : Math.floor((write.len * short) / 100),
      })),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("mmap_write" as const), pos, len }) },
  {
    weight: 2,
    arbitrary: fc
      .record({ op: fc.constant("direct_write" as const), pos: sectors, len: sectors })
      .map((write) => ({ ...write, len: write.len + 512, readable: write.len + 512 })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ op: fc.constant("direct_read" as const), pos: sectors, len: sectors })
      .map((read) => ({ ...read, len: read.len + 512 })),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("pread" as const), pos, len }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("ftruncate" as const), size: pos }) },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant("fallocate" as const),
      mode: fc.constantFrom(...FALLOCATE_MODES),
      pos,
      len,
    }),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        op: fc.constant("comb" as const),
        pos,
        len,
        call: fc.constantFrom(...COMB_CALLS),
        tooth: fc.integer({ min: 1, max: 3 * KIB }),
        backwards: fc.constantFrom(true as const, undefined),
      })
      .map(({ backwards, ...comb }) => ({
        ...comb,
        stride: comb.tooth + (comb.len % 2048),
        ...(backwards && { backwards }),
      })),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("sync_file_range" as const), pos, len }) },
  { weight: 1, arbitrary: fc.constant({ op: "fsync" as const }) },
  { weight: 1, arbitrary: fc.constant({ op: "drop_cache" as const }) },
);

describe("contents", () => {
  test.each(settings)("$name: a read returns what was written last", ({ config }) => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 20 }), (list) => {
        const model = new ModelSubject(config);
        const file = new NaiveFile(config.blockSize);
        for (const [i, operation] of list.entries()) {
          const seen = model.step(operation, i);
          expect(seen.result).toBe(file.apply(operation, i));
          expect(seen.i_size).toBe(file.size);
          if (operation.op !== "pread" && operation.op !== "direct_read") continue;
          const { pos, len } = operation;
          expect(Buffer.compare(seen.read!, Buffer.from(file.bytes.slice(pos, pos + len)))).toBe(0);
        }
        const all = model.step({ op: "pread", pos: 0, len: 4 * 2 ** 20 }, list.length);
        expect(Buffer.compare(all.read!, Buffer.from(file.bytes))).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
