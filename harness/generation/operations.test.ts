import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_POS_BYTES } from "../case/limits.ts";
import { FALLOCATE_WEIGHTS } from "../operations/fallocate/generate.ts";
import { generationOf } from "../operations/generation.ts";
import { type Operation, operationsSchema } from "../operations/operation.ts";
import { SHORT_WRITE_PERCENT } from "../operations/pwrite/generate.ts";
import { variants } from "../../images/variants.ts";
import { operations } from "./operations.ts";

const MIB = 2 ** 20;
const fourK = { blockSize: 4096, imageSize: 256 * MIB } as const;
const tiny = { blockSize: 4096, imageSize: MIB } as const;

function sample(variant: Parameters<typeof operations>[0]["variant"], numRuns = 3000, seed = 1) {
  return fc.sample(operations({ variant, maxLength: 300 }), { numRuns, seed });
}

/** The share of `where` among `of`, in percent. */
function percent(of: readonly Operation[], where: (o: Operation) => boolean): number {
  return (100 * of.filter(where).length) / of.length;
}

function total(weights: Record<string, number>): number {
  return Object.values(weights).reduce((a, b) => a + b, 0);
}

/**
 * Upper bound of the bytes a case allocates: the union of all blocks that calls allocate, after
 * insert_range has moved the blocks there are out of the way. A page at either end for stores
 * through a mapping.
 */
function footprint(sequence: readonly Operation[], grain: number): number {
  let held = new Set<number>();
  for (const o of sequence) {
    if (o.op === "fallocate" && o.mode === "insert_range") {
      const first = Math.floor(o.pos / grain);
      const shift = Math.ceil(o.len / grain);
      held = new Set([...held].map((b) => (b >= first ? b + shift : b)));
    }
    const allocates =
      o.op === "pwrite" ||
      o.op === "mmap_write" ||
      (o.op === "fallocate" && !["punch_hole", "collapse_range", "insert_range"].includes(o.mode));
    if (!allocates) continue;
    const last = Math.floor((o.pos + o.len - 1) / grain);
    for (let b = Math.floor(o.pos / grain); b <= last; b++) held.add(b);
  }
  return held.size * grain;
}

function isUnaligned(o: Operation): boolean {
  return "pos" in o && (o.pos % 4096 > 0 || o.len % 4096 > 0);
}

describe("generated cases", () => {
  test.each(variants.map((v) => [v.name, v] as const))("%s: are valid", (_, variant) => {
    for (const sequence of sample(variant, 500)) {
      expect(operationsSchema.safeParse(sequence).error).toBeUndefined();
    }
  });

  test("a page larger than the blocks, and an image that is hardly one, are fine too", () => {
    const arbitrary = operations({ variant: tiny, maxLength: 20, kernelPageSize: 65536 });
    for (const sequence of fc.sample(arbitrary, { numRuns: 500, seed: 2 })) {
      expect(operationsSchema.safeParse(sequence).error).toBeUndefined();
    }
  });

  test("are the same for the same seed", () => {
    expect(sample(fourK, 50, 7)).toEqual(sample(fourK, 50, 7));
    expect(sample(fourK, 50, 7)).not.toEqual(sample(fourK, 50, 8));
  });

  test("are mostly up to 20 operations long, sometimes hundreds", () => {
    const lengths = sample(fourK).map((s) => s.length);
    expect(Math.min(...lengths)).toBe(1);
    expect(Math.max(...lengths)).toBeGreaterThan(200);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(300);
    const short = lengths.filter((n) => n <= 20).length / lengths.length;
    expect(short).toBeGreaterThan(0.8);
  });

  test("maxLength is kept, and 1 is a length", () => {
    const arbitrary = operations({ variant: fourK, maxLength: 1 });
    for (const s of fc.sample(arbitrary, { numRuns: 100, seed: 1 })) expect(s.length).toBe(1);
  });

  test("follow the weight tables", () => {
    const all = sample(fourK).flat();
    for (const op of new Set(all.map((o) => o.op))) {
      const { recordable } = generationOf({ op }).share;
      expect(Math.abs(percent(all, (o) => o.op === op) - recordable)).toBeLessThan(2);
    }
    const fallocates = all.filter((o) => o.op === "fallocate");
    for (const [mode, weight] of Object.entries(FALLOCATE_WEIGHTS)) {
      const share = (100 * weight) / total(FALLOCATE_WEIGHTS);
      const seen = percent(fallocates, (o) => o.op === "fallocate" && o.mode === mode);
      expect(Math.abs(seen - share)).toBeLessThan(4);
    }
  });

  test("hold short writes that end at, around and off block boundaries, or at once", () => {
    const writes = sample(fourK)
      .flat()
      .filter((o) => o.op === "pwrite");
    const short = writes.filter((o) => o.readable < o.len);
    expect(Math.abs((100 * short.length) / writes.length - SHORT_WRITE_PERCENT)).toBeLessThan(3);
    const rests = short.filter((o) => o.readable > 0).map((o) => (o.pos + o.readable) % 4096);
    const share = (where: (rest: number) => boolean): number =>
      rests.filter(where).length / rests.length;
    expect(share((r) => r === 0)).toBeGreaterThan(0.15);
    expect(share((r) => r === 1)).toBeGreaterThan(0.05);
    expect(share((r) => r === 4095)).toBeGreaterThan(0.05);
    expect(short.filter((o) => o.readable === 0).length / short.length).toBeGreaterThan(0.2);
  });

  test("meet one another: most positions lie in the first 64 blocks", () => {
    const ranged = sample(fourK)
      .flat()
      .filter((o) => "pos" in o);
    expect(percent(ranged, (o) => "pos" in o && o.pos <= 65 * 4096)).toBeGreaterThan(75);
    expect(percent(ranged, (o) => "pos" in o && o.pos >= 2 ** 21 - 1)).toBeGreaterThan(1);
  });

  test.each([1024, 2048, 4096] as const)("reach past the largest file of %d-byte blocks", (bs) => {
    const max = (2 ** 32 - 1) * bs;
    const all = sample({ blockSize: bs, imageSize: 256 * MIB }).flat();
    const positions = all.map((o) => ("pos" in o ? o.pos : o.op === "ftruncate" ? o.size : 0));
    expect(positions.some((p) => p === max)).toBe(true);
    expect(positions.some((p) => p > max)).toBe(true);
    expect(positions.every((p) => p <= MAX_POS_BYTES)).toBe(true);
    const sparse = positions.filter((p) => p > 64 * MIB).length / positions.length;
    expect(sparse).toBeLessThan(0.05);
  });

  test.each([
    ["4k-small", 16 * MIB],
    ["64 MiB", 64 * MIB],
    ["256 MiB", 256 * MIB],
  ])("%s: a case allocates at most an eighth of the image", (_, imageSize) => {
    for (const blockSize of [1024, 4096] as const) {
      for (const sequence of sample({ blockSize, imageSize }, 400)) {
        expect(footprint(sequence, 4096)).toBeLessThanOrEqual(imageSize / 8);
      }
    }
  });

  test("long writes are there, and rare", () => {
    const writes = sample(fourK)
      .flat()
      .filter((o) => o.op === "pwrite");
    const long = percent(writes, (o) => "len" in o && o.len > 256 * 1024);
    expect(long).toBeGreaterThan(0.2);
    expect(long).toBeLessThan(3);
    expect(writes.some((o) => o.len > 2 * MIB)).toBe(true);
  });

  test("collapse_range and insert_range are mostly aligned", () => {
    const shifts = sample(fourK)
      .flat()
      .filter((o) => o.op === "fallocate" && /collapse|insert/.test(o.mode));
    expect(percent(shifts, isUnaligned)).toBeGreaterThan(2);
    expect(percent(shifts, isUnaligned)).toBeLessThan(15);
  });
});
