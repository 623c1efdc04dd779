/**
 * What tells two tables of the model apart: that it is found, that no shorter sequence shows it,
 * and that nothing is found where nothing differs.
 */
import { describe, expect, test } from "vitest";
import { assert } from "../../model/include/assert.ts";
import { createFileSystem, createInode } from "../../model/file-system.ts";
import { copyFile } from "../../model/state.ts";
import type { Inode } from "../../model/include/types.ts";
import { describeOperation } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { alphabetOf } from "../explore/alphabet.ts";
import type { AlphabetName } from "../explore/alphabet.ts";
import { applied } from "../explore/applied.ts";
import { differencesText, kindText, sidesOf } from "../commands/differences.ts";
import { differences, Search } from "./differences.ts";
import type { Differences } from "./differences.ts";
import { differencesLater, differencesNow, KINDS, lookLater } from "./seen.ts";
import { overridesOf, sideOf } from "./side.ts";
import type { Side } from "./side.ts";

interface Asked {
  blocks?: number;
  depth?: number;
  alphabet?: AlphabetName;
  goOn?: boolean;
}

function between([a, b]: readonly [Side, Side], search: Asked = {}): Differences {
  const { blocks = 1, depth = Infinity, alphabet = "blocks", goOn = false } = search;
  const { blockSize } = a.config;
  const letters = alphabetOf(alphabet, blocks, blockSize);
  return differences({ a, b, alphabet: letters, most: blocks * blockSize, depth, goOn });
}

/** The shortest sequence for a kind, with what each showed; undefined where there is none. */
function shown({ found }: Differences, kind: string): string[] | undefined {
  const one = found.find((candidate) => kindText(candidate) === kind);
  return one && [one.operations.map(describeOperation).join("; "), one.a, one.b];
}

describe("what tells two tables apart", () => {
  test("delalloc reserves in the write, nodelalloc allocates", () => {
    const result = between(sidesOf("4k-delalloc-iomap", "4k-nodelalloc-iomap"));
    const write = "pwrite(pos=0, len=4096)";
    expect(shown(result, "reserved")).toEqual([write, "1", "0"]);
    expect(shown(result, "map: delayed / allocated")).toEqual([
      write,
      "block 0 delayed",
      "block 0 unwritten",
    ]);
  });

  test.each(["4k-delalloc", "1k-nodelalloc-iomap", "4k-delalloc-iomap+delayed-blocks-not-new"])(
    "nothing tells %s from itself, and the search ends",
    (name) => {
      const result = between(sidesOf(name, name));
      expect(result.found).toEqual([]);
      expect(result.closed).toBe(true);
      expect(result.alike).toEqual(Object.keys(KINDS).filter((kind) => kind !== "panic"));
      expect(result.pairs).toBeGreaterThan(10);
    },
  );

  test.each([
    ["4k-delalloc-iomap", "partial-block-not-zeroed", "read", 2],
    ["4k-delalloc-iomap", "sync-misses-last-byte", "contents", 2],
    ["4k-delalloc-iomap", "disksize-late", "on-disk-size", 1],
    ["4k-delalloc-iomap", "sync-misses-last-byte", "kernel-log", 1],
    ["4k-delalloc-iomap", "sync-misses-last-byte", "direct read", 1],
    ["4k-delalloc", "failed-write-moves-size", "i_size", 1],
    ["4k-delalloc", "short-write-keeps-reservation", "reserved after fsync", 1],
    ["4k-nodelalloc-iomap", "new-blocks-written", "on-disk-map: unwritten / written", 1],
    ["1k-delalloc-iomap", "mkwrite-past-eof", "st_blocks", 2],
  ])("%s with %s shows itself in %s", (variant, id, kind, operations) => {
    const sides = sidesOf(variant, `${variant}+${id}`);
    const { found } = between(sides, { depth: 2, alphabet: "bytes" });
    const one = found.find((candidate) => kindText(candidate) === kind);
    expect(one?.operations).toHaveLength(operations);
  });

  test("bytes say which operation wrote them", () => {
    const variant = "4k-delalloc-iomap";
    const sides = sidesOf(variant, `${variant}+partial-block-not-zeroed`);
    expect(shown(between(sides, { depth: 2, alphabet: "bytes" }), "read")).toEqual([
      "pwrite(pos=0, len=1); fallocate(punch_hole, pos=0, len=1)",
      "byte 0 is zero",
      "byte 0 was written by operation 1",
    ]);
  });

  test("an assertion that fails in one is shown, and that is the end of it", () => {
    const [a, b] = sidesOf("4k-delalloc", "4k-delalloc+failed-write-moves-size");
    const broken: Side = {
      ...b,
      deviations: b.deviations.map((one) => ({
        ...one,
        override: () => ({
          sizeAfterWrite: (_inode, pos, copied) => {
            assert(copied > 0, "something was copied");
            return pos + copied;
          },
        }),
      })),
    };
    const result = between([a, broken]);
    expect(result.found.map(kindText)).toEqual(["panic"]);
    expect(shown(result, "panic")).toEqual([
      "pwrite(pos=0, len=4096, readable=0)",
      "goes on",
      "something was copied",
    ]);
  });

  test("the search is the same however often it is interrupted", () => {
    const [a, b] = sidesOf("4k-delalloc", "4k-delalloc-iomap");
    const alphabet = alphabetOf("blocks", 1, 4096);
    const options = { a, b, alphabet, most: 4096, depth: Infinity, goOn: true };
    const search = new Search(options);
    let pieces = 1;
    while (!search.advance(0)) pieces += 1;
    expect(pieces).toBeGreaterThan(1);
    expect(search.result).toEqual(differences(options));
  });

  test("a bug that was not shown is said with what shows it", () => {
    const [a, b] = sidesOf("4k-delalloc", "4k-delalloc+zero-range-loses-writes");
    const text = differencesText(a, b, between([a, b], { depth: 2 }));
    expect(text).toMatch(/nothing tells them apart\nzero-range-loses-writes is shown by: pwrite\(/);
  });

  test("the search ends where it is told to, and says so", () => {
    const sides = sidesOf("4k-delalloc", "4k-delalloc-iomap");
    const result = between(sides, { depth: 2 });
    expect([result.closed, result.deepest]).toEqual([false, 2]);
    expect(differencesText(...sides, result)).toMatch(/open at depth 2, longer sequences may/);
    expect(differencesText(...sides, between(sides))).toMatch(
      /closed at depth \d+, so .* up to its first/,
    );
  });
});

interface Files {
  a: Inode;
  b: Inode;
}

/** After these nothing is gone on from in any case. */
const DECISIVE = ["result", "i_size", "read"];

function empty(side: Side): Inode {
  return copyFile(createInode(createFileSystem(side.config, overridesOf(side))));
}

/**
 * The length of a shortest sequence for each kind, by trying every sequence of up to `depth`
 * operations, whatever states it leads to.
 */
function byForce([a, b]: readonly [Side, Side], depth: number, goOn: boolean): Map<string, number> {
  const { blockSize } = a.config;
  const alphabet = alphabetOf("blocks", 1, blockSize);
  const lengths = new Map<string, number>();
  let layer: Files[] = [{ a: empty(a), b: empty(b) }];
  const step = (files: Files, operation: Operation, length: number): Files[] => {
    const x = applied(files.a, operation, blockSize, length);
    const y = applied(files.b, operation, blockSize, length);
    if (x === undefined || y === undefined) return [];
    const now = differencesNow(x, y);
    const later = differencesLater(lookLater(x.inode, blockSize), lookLater(y.inode, blockSize));
    for (const one of [...now, ...later]) {
      const kind = kindText({ ...one, operations: [] });
      if (!lengths.has(kind)) lengths.set(kind, length);
    }
    const ends = now.some(({ kind }) => (goOn ? DECISIVE.includes(kind) : kind !== "pages"));
    return ends ? [] : [{ a: x.inode, b: y.inode }];
  };
  for (let length = 1; length <= depth; length++) {
    layer = layer.flatMap((files) =>
      alphabet.flatMap((operation) => step(files, operation, length)),
    );
  }
  return lengths;
}

describe.each([
  ["4k-delalloc", "4k-delalloc-iomap"],
  ["4k-nodelalloc", "4k-nodelalloc-iomap"],
  ["1k-delalloc-iomap", "1k-delalloc-iomap+delayed-blocks-not-new"],
  ["4k-nodelalloc", "4k-delalloc"],
])("%s and %s", (a, b) => {
  test.each([false, true])("are told apart by no shorter sequence; gone on: %s", (goOn) => {
    const sides = sidesOf(a, b);
    const { found } = between(sides, { depth: 3, goOn });
    const lengths = found.map((one) => [kindText(one), one.operations.length] as const);
    expect(lengths.length).toBeGreaterThan(1);
    expect(new Map(lengths)).toEqual(byForce(sides, 3, goOn));
  });
});

describe("a side", () => {
  test("is a variant by a path, on one kernel where none is named", () => {
    const [here, there] = sidesOf("4k-delalloc", "4k-delalloc-iomap");
    expect([here.config.path, there.config.path]).toEqual(["buffer_head", "iomap"]);
    expect([here.kernel, there.kernel]).toEqual(["series-v2", "series-v2"]);
    expect(here.config.changes).toEqual(there.config.changes);
    expect(sideOf("4k-delalloc@7.3").config.changes).toContain("zero-gap-first");
    const { deviations } = sideOf("4k-delalloc+failed-write-moves-size+dirty-tag-outlives-dirt");
    expect(deviations.map(({ id }) => id)).toEqual([
      "failed-write-moves-size",
      "dirty-tag-outlives-dirt",
    ]);
  });

  test.each([
    [
      "5k-delalloc",
      /no variant "5k-delalloc" \(Did you mean one of 4k-.*\); there are: 4k-delalloc/,
    ],
    ["4k-full", /space runs out.*take another variant/],
    ["4k-delalloc@5.4", /no kernel "5.4".*buffer_head path; there are: 6.12, 6.15, 6.18/],
    ["4k-delalloc-iomap@6.18", /no kernel "6.18".*iomap path; there are: series-v1, series-v2/],
    ["4k-delalloc@6.18@7.3", /with one @/],
    ["4k-data-journal-iomap", /take the buffer_head path/],
    ["4k-delalloc+nonsense", /no deviation "nonsense"; there are: short-write-keeps/],
    ["4k-delalloc+delayed-blocks-not-new", /of the iomap path, and this is on buffer_head; add/],
    ["4k-delalloc-iomap+failed-write-moves-size", /of the buffer_head path.*leave "-iomap" off/],
    ["4k-delalloc+commit-forgets-size", /only after a power cut.*use run --power-cuts/],
  ])("%s: says what is wrong, and what to do", (text, message) => {
    expect(() => sideOf(text)).toThrow(message);
  });

  test("has all that its kernel is known to show, where that is asked for", () => {
    const { deviations } = sideOf("4k-delalloc@6.18+known");
    const ids = deviations.map(({ id }) => id);
    expect(ids).toContain("short-write-keeps-reservation");
    expect(ids).not.toContain("zero-range-loses-writes");
    expect(sideOf("4k-delalloc-iomap+known").deviations.map(({ id }) => id)).toEqual([
      "delayed-blocks-not-new",
    ]);
    expect(() => sideOf("4k-delalloc+known")).toThrow(/no deviation is known of the buffer_head/);
  });

  test("has blocks of the size of the other's", () => {
    expect(() => sidesOf("4k-delalloc", "1k-delalloc")).toThrow(/blocks of 4096 bytes.*of 1024/);
  });
});
