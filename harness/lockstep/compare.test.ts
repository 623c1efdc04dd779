import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { treeBlocksMax } from "../contract/step/accounts.ts";
import { compare, compareData } from "./compare.ts";
import { divergence, firstDifferentByte } from "../finding/divergence.ts";
import type {
  CacheExtent,
  CutFile,
  Extent,
  ExtentState,
  Observation,
} from "../case/observation.ts";

const geometry = { blockSize: 4096 };

const base: Observation = {
  result: 4096,
  i_size: 16384,
  st_blocks: 32,
  map: [
    { lblk: 0, len: 2, state: "written" },
    { lblk: 2, len: 1, state: "delayed" },
    { lblk: 4, len: 1, state: "unwritten" },
  ],
  pieces: 3,
  reserved: 1,
  cache: [
    { lblk: 0, len: 2, state: "written" },
    { lblk: 2, len: 1, state: "delayed" },
    { lblk: 3, len: 1, state: "hole" },
  ],
  read: undefined,
};

function seen(change: Partial<Observation>, treeMax = 0) {
  return compare(base, { ...base, ...change }, geometry, treeMax);
}

function cached(...cache: CacheExtent[]) {
  return seen({ cache });
}

describe("equal is equal", () => {
  test("with and without a cache", () => {
    expect(seen({})).toBeUndefined();
    expect(seen({ cache: undefined })).toBeUndefined();
  });

  test("however many pieces the extents have", () => {
    expect(seen({ pieces: 9 })).toBeUndefined();
  });
});

describe("what must be exact", () => {
  test("result, with the name of the error", () => {
    expect(seen({ result: -14 })).toEqual({
      kind: "result",
      message: "the call returned -14 EFAULT, expected 4096",
    });
  });

  test("i_size", () => {
    expect(seen({ i_size: 0 })?.message).toBe("i_size is 0, expected 16384");
  });

  test.each<[string, Extent[]]>([
    ["block 2 is hole, expected delayed", [base.map[0]!, base.map[2]!]],
    ["blocks 0-1 are unwritten, expected written", [{ ...base.map[0]!, state: "unwritten" }]],
    ["block 3 is delayed, expected hole", [base.map[0]!, { ...base.map[1]!, len: 2 }]],
    ["block 9 is written, expected hole", [...base.map, { lblk: 9, len: 1, state: "written" }]],
  ])("map: %s", (message, map) => {
    expect(seen({ map })).toEqual({ kind: "map", message });
  });

  test("a map that is not merged is our mistake, and said so", () => {
    const split: Extent[] = [
      { lblk: 0, len: 1, state: "written" },
      { lblk: 1, len: 1, state: "written" },
      ...base.map.slice(1),
    ];
    expect(seen({ map: split })?.message).toMatch(/not merged/);
  });

  test("reserved", () => {
    expect(seen({ reserved: 5 })?.message).toBe("5 clusters are reserved, expected 1");
  });

  test("read: from the first byte that differs, and what is there", () => {
    const data = Uint8Array.from([1, 2, 3]);
    const read = (expected: number[], seen: number[]): string | undefined =>
      compare(
        { ...base, read: Uint8Array.from(expected) },
        { ...base, read: Uint8Array.from(seen) },
        geometry,
        0,
      )?.message;
    expect(compare({ ...base, read: data }, { ...base, read: data.slice() }, geometry, 0)).toBe(
      undefined,
    );
    expect(read([1, 2, 3], [1, 0, 3])).toBe("from byte 1 on the read has 00 03, expected 02 03");
    expect(read([1, 2], [1, 0])).toBe("from byte 1 on the read has 00 (zero), expected 02");
    expect(read([1, 0], [1, 171])).toBe("from byte 1 on the read has ab, expected 00 (zero)");
    expect(read([1, 2], [1])).toBe("read 1 bytes, expected 2");
    expect(compare({ ...base, read: data }, base, geometry, 0)?.kind).toBe("read");
  });
});

describe("st_blocks may include extent-tree blocks", () => {
  test("whole ones, up to the bound", () => {
    expect(seen({ st_blocks: 40 }, 1)).toBeUndefined();
    expect(seen({ st_blocks: 48 }, 1)?.kind).toBe("st_blocks");
    expect(seen({ st_blocks: 36 }, 1)?.kind).toBe("st_blocks");
  });

  test("and never fewer than expected", () => {
    expect(seen({ st_blocks: 24 }, 9)).toEqual({
      kind: "st_blocks",
      message: "st_blocks is 24, expected 32: 1 blocks fewer, with at most 9 extent-tree blocks",
    });
  });

  test("one up to a full leaf, with room for what an operation frees again", () => {
    expect(treeBlocksMax(0, 4096)).toBe(1);
    expect(treeBlocksMax(166, 4096)).toBe(1);
    expect(treeBlocksMax(167, 4096)).toBe(343);
    expect(treeBlocksMax(39, 1024)).toBe(87);
  });
});

describe("the extent status cache", () => {
  test("may forget what is not delayed", () => {
    expect(cached({ lblk: 0, len: 1, state: "written" }, base.cache![1]!)).toBeUndefined();
    expect(cached({ lblk: 2, len: 1, state: "delayed" })).toBeUndefined();
  });

  test("answers nothing where it does not begin at block 0", () => {
    expect(cached()).toBeUndefined();
    const map: Extent[] = [{ lblk: 0, len: 1, state: "delayed" }];
    const both = { ...base, map, cache: [] };
    expect(compare(both, both, geometry, 0)?.kind).toBe("cache");
  });

  test.each<[string, CacheExtent]>([
    ["a state", { lblk: 0, len: 1, state: "unwritten" }],
    ["a hole where data is", { lblk: 1, len: 1, state: "hole" }],
    ["data past the end of an extent", { lblk: 1, len: 2, state: "written" }],
    ["data where a hole is", { lblk: 7, len: 1, state: "delayed" }],
  ])("must not be wrong about %s", (_, entry) => {
    const kept = base.cache!.filter(
      (c) => c.lblk + c.len <= entry.lblk || c.lblk >= entry.lblk + entry.len,
    );
    const cache = [...kept, entry].toSorted((a, b) => a.lblk - b.lblk);
    expect(cached(...cache)?.kind).toBe("cache");
    expect(cached(...cache)?.message).toMatch(/which is not so$/);
  });

  test("must hold every delayed extent, whole", () => {
    const message = "the extent status cache does not hold the delayed block 2 as one whole";
    expect(cached(base.cache![0]!, base.cache![2]!)).toEqual({ kind: "cache", message });
  });

  test("agrees with a slow and simple definition", () => {
    const state = fc.constantFrom<ExtentState | "hole">("hole", "delayed", "unwritten", "written");
    const blocks = fc.array(state, { maxLength: 8 });
    const known = fc.array(fc.boolean(), { minLength: 8, maxLength: 8 });
    const wrong = fc.option(fc.record({ at: fc.nat(7), state }));
    fc.assert(
      fc.property(blocks, known, wrong, (truth, known, wrong) => {
        const said = truth.map((s, i) => (wrong?.at === i ? wrong.state : s));
        const map = runs(truth).filter((e): e is Extent => e.state !== "hole");
        const cache = runs(said.map((s, i) => (known[i] === true ? s : undefined)));
        const both = { ...base, map, cache };
        const lies = said.some((s, i) => known[i] === true && s !== truth[i]);
        const answers = cache.length > 0 || truth[0] === "delayed";
        const forgets = answers && truth.some((s, i) => s === "delayed" && known[i] !== true);
        expect(compare(both, both, geometry, 0) !== undefined).toBe(lies || forgets);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});

/** Neighbours of one state as one extent; undefined blocks belong to none. */
function runs(states: (CacheExtent["state"] | undefined)[]): CacheExtent[] {
  const found: CacheExtent[] = [];
  for (const [lblk, state] of states.entries()) {
    const last = found.at(-1);
    if (state === undefined) continue;
    if (last?.state === state && last.lblk + last.len === lblk) last.len++;
    else found.push({ lblk, len: 1, state });
  }
  return found;
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

describe("the page cache", () => {
  const expected = { ...base, pages: { cached: 2, dirty: 1 } };
  const held = (change: Partial<Observation>) =>
    compare(expected, { ...expected, ...change }, geometry, 1);

  test("is counted, where both know it", () => {
    expect(held({ pages: { cached: 2, dirty: 0 } })).toEqual({
      kind: "pages",
      message: "of the file's pages are 2 cached, 0 dirty, expected 2 cached, 1 dirty",
    });
    expect(held({ pages: { cached: 1, dirty: 1 } })?.kind).toBe("pages");
    expect(held({ pages: undefined })).toBeUndefined();
    expect(compare({ ...base, pages: undefined }, expected, geometry, 1)).toBeUndefined();
  });

  test("comes last: what else differs is more", () => {
    expect(held({ pages: { cached: 0, dirty: 0 }, read: bytes(1) })?.kind).toBe("read");
  });
});

describe("divergence", () => {
  test("is data that JSON holds, and a copy", () => {
    const map: Extent[] = [{ lblk: 0, len: 1, state: "written" }];
    const made = divergence({
      variant: "4k-delalloc",
      step: 0,
      operations: [{ op: "pread", pos: 0, len: 4 }],
      kind: "read",
      expected: { ...base, map, read: Uint8Array.from([1, 2, 3, 4]) },
      seen: { ...base, map, cache: undefined, read: Uint8Array.from([1, 2, 0, 0]) },
      message: "from byte 2 on the read has 00 (zero), expected 03",
    });
    map[0]!.len = 7;
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
    expect(made.expected?.map).toEqual([{ lblk: 0, len: 1, state: "written" }]);
    expect(made.seen?.read).toMatchObject({ length: 4, offset: 2, bytes: "AAA=" });
    expect(made.seen).not.toHaveProperty("cache");
  });

  test("finds the first different byte", () => {
    expect(firstDifferentByte(bytes(1, 2), bytes(1, 2))).toBe(-1);
    expect(firstDifferentByte(bytes(1, 2), bytes(1))).toBe(1);
    expect(firstDifferentByte(bytes(1, 2), bytes(3, 2))).toBe(0);
  });
});

const writtenAt = (lblk: number): Extent => ({ lblk, len: 1, state: "written" });
const leftWith = (map: Extent[], bytes: Uint8Array): Observation => {
  const file: CutFile = { i_size: 8192, map, bytes };
  return { ...base, cut: { commits: 1, complaints: [], file } };
};

describe("after a power cut", () => {
  const data = new Uint8Array(4096).fill(7);
  const hole = leftWith([writtenAt(1)], data);
  const both = (bytes: Uint8Array): Uint8Array => Buffer.concat([bytes, data]);

  test("the same bytes in other blocks are no data that is lost", () => {
    const other = leftWith([writtenAt(0), writtenAt(1)], both(new Uint8Array(4096)));
    expect(compare(hole, other, geometry, 0)?.kind).toBe("power-cut-map");
    expect(compareData(hole, other, 4096)).toBe(undefined);
  });

  test("other bytes are, wherever they are", () => {
    const shown = leftWith([writtenAt(0), writtenAt(1)], both(data));
    expect(compare(hole, shown, geometry, 0)?.kind).toBe("power-cut");
    expect(compareData(hole, shown, 4096)?.message).toMatch(
      /^after a power cut: block 0 is written/,
    );
    expect(compare(hole, leftWith([], new Uint8Array(0)), geometry, 0)?.kind).toBe("power-cut");
  });
});
