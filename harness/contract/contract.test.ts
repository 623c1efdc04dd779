/**
 * Every promise: an observation that breaks it, and one that keeps all of them.
 */
import { describe, expect, test } from "vitest";
import { pattern, patternOffset, patternTag } from "../../model/include/pattern.ts";
import type {
  CacheExtent,
  CutFile,
  CutLook,
  Extent,
  ExtentState,
  Observation,
} from "../case/observation.ts";
import type { DuringOperation } from "../operations/paused_write/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { Contract } from "./contract.ts";
import type { ContractOptions } from "./contract.ts";
import { promises } from "./promises.ts";

const BLOCK = 4096;
const EIO = -5;
const EFAULT = -14;
const EINVAL = -22;
const EFBIG = -27;
const ENOSPC = -28;

const delalloc: ContractOptions = { path: "buffer_head", blockSize: BLOCK, delalloc: true };
const nodelalloc: ContractOptions = { ...delalloc, delalloc: false };
const iomap: ContractOptions = { ...delalloc, path: "iomap" };

type Run = [lblk: number, len: number, state: ExtentState];

const extents = (runs: readonly Run[]): Extent[] =>
  runs.map(([lblk, len, state]) => ({ lblk, len, state }));

const sum = (list: readonly Extent[]): number => list.reduce((blocks, { len }) => blocks + len, 0);

/** An observation whose accounts are right for its map, unless `more` says otherwise. */
function seen(
  result: number,
  i_size: number,
  runs: readonly Run[],
  more: Partial<Observation> = {},
): Observation {
  const map = extents(runs);
  return {
    result,
    i_size,
    st_blocks: (sum(map) * BLOCK) / 512,
    map,
    pieces: map.length,
    reserved: sum(map.filter(({ state }) => state === "delayed")),
    cache: undefined,
    read: undefined,
    ...more,
  };
}

const write = (pos: number, len: number, readable = len): Operation => ({
  op: "pwrite",
  pos,
  len,
  readable,
});
const dsync = (pos: number, len: number): Operation => ({
  op: "pwrite",
  pos,
  len,
  readable: len,
  sync: "data",
});
const fsync: Operation = { op: "fsync" };
const powerCut: Operation = { op: "power_cut" };
const truncate = (size: number): Operation => ({ op: "ftruncate", size });
const pread = (pos: number, len: number): Operation => ({ op: "pread", pos, len });
const fallocate = (
  mode: Extract<Operation, { op: "fallocate" }>["mode"],
  pos: number,
  len: number,
): Operation => ({ op: "fallocate", mode, pos, len });

const direct = (pos: number, len: number, readable = len): Operation => ({
  op: "direct_write",
  pos,
  len,
  readable,
});

type Recorded = [operation: Operation, seen: Observation];

/** What the last of some steps breaks; those before it must break nothing. */
function brokenBy(options: ContractOptions, steps: readonly Recorded[]): string[] {
  const contract = new Contract(options);
  contract.begin();
  let broken: readonly string[] = [];
  for (const [i, [operation, observation]] of steps.entries()) {
    expect(broken).toEqual([]);
    broken = contract.check(operation, i, observation).map(({ promise }) => promise);
  }
  return [...broken];
}

/** What the write of operation number `index` stored. */
const written = (index: number, len: number): Uint8Array =>
  pattern(patternTag(index)).slice(patternOffset(len), patternOffset(len) + len);

interface Example {
  promise: string;
  name: string;
  options?: ContractOptions;
  /** What came before, and keeps every promise. */
  before?: Recorded[];
  operation: Operation;
  breaks: Observation;
  keeps: Observation;
  /** Other promises that the breaking observation cannot but break too. */
  also?: string[];
}

/** A block of data, on disk. */
const oneBlock: Recorded[] = [
  [write(0, BLOCK), seen(BLOCK, BLOCK, [[0, 1, "delayed"]])],
  [fsync, seen(0, BLOCK, [[0, 1, "written"]])],
];

/** Another behind it, that nobody syncs. */
const secondBlock: Recorded = [
  write(BLOCK, BLOCK),
  seen(BLOCK, 2 * BLOCK, [
    [0, 1, "written"],
    [1, 1, "delayed"],
  ]),
];

/** A file of eight blocks without one. */
const sparse: Recorded = [truncate(8 * BLOCK), seen(0, 8 * BLOCK, [])];

const examples: Example[] = [
  {
    promise: "write-returns-what-it-copied",
    name: "more than could be read",
    operation: write(0, 100, 50),
    breaks: seen(100, 100, [[0, 1, "delayed"]]),
    keeps: seen(50, 50, [[0, 1, "delayed"]]),
  },
  {
    promise: "write-returns-what-it-copied",
    name: "less than could be read",
    operation: write(0, 100),
    breaks: seen(50, 50, [[0, 1, "delayed"]]),
    keeps: seen(100, 100, [[0, 1, "delayed"]]),
  },
  {
    promise: "write-returns-what-it-copied",
    name: "no space, where there is room",
    operation: write(0, 100),
    breaks: seen(ENOSPC, 0, []),
    keeps: seen(100, 100, [[0, 1, "delayed"]]),
  },
  {
    promise: "direct-write-is-whole",
    name: "less than could be read",
    operation: direct(0, 2 * BLOCK),
    breaks: seen(BLOCK, BLOCK, [[0, 1, "written"]]),
    keeps: seen(2 * BLOCK, 2 * BLOCK, [[0, 2, "written"]]),
  },
  {
    promise: "direct-write-is-whole",
    name: "refused, though it is aligned",
    operation: direct(512, 512),
    breaks: seen(EINVAL, 0, []),
    keeps: seen(512, 1024, [[0, 1, "written"]]),
  },
  {
    promise: "direct-write-is-whole",
    name: "one that is not aligned may be refused, but not past the longest file",
    operation: direct(2 ** 44 + 1, 512),
    breaks: seen(EINVAL, 0, []),
    keeps: seen(EFBIG, 0, []),
  },
  {
    promise: "direct-write-is-whole",
    name: "one that cannot read all of its memory fails for that",
    operation: direct(0, BLOCK + 512, BLOCK),
    breaks: seen(EINVAL, 0, []),
    keeps: seen(EFAULT, 0, []),
  },
  {
    promise: "nothing-delayed-after-sync",
    name: "a direct read, of what it read",
    before: [[write(0, 2 * BLOCK), seen(2 * BLOCK, 2 * BLOCK, [[0, 2, "delayed"]])]],
    operation: { op: "direct_read", pos: 0, len: BLOCK },
    breaks: seen(BLOCK, 2 * BLOCK, [[0, 2, "delayed"]]),
    keeps: seen(BLOCK, 2 * BLOCK, [
      [0, 1, "written"],
      [1, 1, "delayed"],
    ]),
    also: ["data-has-blocks"],
  },
  {
    promise: "data-has-blocks",
    name: "a direct write that converts nothing",
    before: [sparse],
    operation: direct(0, BLOCK),
    breaks: seen(BLOCK, 8 * BLOCK, [[0, 1, "unwritten"]]),
    keeps: seen(BLOCK, 8 * BLOCK, [[0, 1, "written"]]),
  },
  {
    promise: "read-returns-what-was-written",
    name: "a direct read that fails, but for how it lies",
    before: oneBlock,
    operation: { op: "direct_read", pos: 0, len: 100 },
    breaks: seen(-5, BLOCK, [[0, 1, "written"]]),
    keeps: seen(EINVAL, BLOCK, [[0, 1, "written"]]),
  },
  {
    promise: "read-returns-what-was-written",
    name: "a direct read of other bytes",
    before: [[direct(0, BLOCK), seen(BLOCK, BLOCK, [[0, 1, "written"]])]],
    operation: { op: "direct_read", pos: 0, len: BLOCK },
    breaks: seen(BLOCK, BLOCK, [[0, 1, "written"]], { read: written(1, BLOCK) }),
    keeps: seen(BLOCK, BLOCK, [[0, 1, "written"]], { read: written(0, BLOCK) }),
  },
  {
    promise: "size-follows-writes",
    name: "a direct write that fails past EOF",
    operation: direct(512, 512, 0),
    breaks: seen(EFAULT, 512, [[0, 1, "written"]]),
    keeps: seen(EFAULT, 0, []),
  },
  {
    promise: "calls-succeed",
    name: "an fsync that fails",
    before: oneBlock,
    operation: fsync,
    breaks: seen(-5, BLOCK, [[0, 1, "written"]]),
    keeps: seen(0, BLOCK, [[0, 1, "written"]]),
  },
  {
    promise: "calls-succeed",
    name: "a truncation that fails, but for too large a size",
    operation: truncate(2 ** 44),
    breaks: seen(-5, 0, []),
    keeps: seen(EFBIG, 0, []),
  },
  {
    promise: "allocated-stays",
    name: "a hole that is punched too far",
    before: [[fallocate("allocate", 0, 4 * BLOCK), seen(0, 4 * BLOCK, [[0, 4, "unwritten"]])]],
    operation: fallocate("punch_hole", BLOCK, BLOCK),
    breaks: seen(0, 4 * BLOCK, [[0, 1, "unwritten"]]),
    keeps: seen(0, 4 * BLOCK, [
      [0, 1, "unwritten"],
      [2, 2, "unwritten"],
    ]),
  },
  {
    promise: "allocated-stays",
    name: "a truncation that cuts off too much",
    before: [[fallocate("allocate", 0, 4 * BLOCK), seen(0, 4 * BLOCK, [[0, 4, "unwritten"]])]],
    operation: truncate(3 * BLOCK),
    breaks: seen(0, 3 * BLOCK, []),
    keeps: seen(0, 3 * BLOCK, [[0, 3, "unwritten"]]),
  },
  {
    promise: "write-returns-what-it-copied",
    name: "nothing, where there may be no space",
    options: { ...delalloc, mayFillUp: true },
    operation: write(0, 100),
    breaks: seen(0, 0, []),
    keeps: seen(50, 50, [[0, 1, "delayed"]]),
  },
  {
    promise: "write-returns-what-it-copied",
    name: "nothing, and no error",
    operation: write(0, 100, 0),
    breaks: seen(0, 0, []),
    keeps: seen(EFAULT, 0, []),
  },
  {
    promise: "write-returns-what-it-copied",
    name: "a write past the longest file",
    operation: write(2 ** 44, 100),
    breaks: seen(EFAULT, 0, []),
    keeps: seen(EFBIG, 0, []),
  },
  {
    promise: "size-follows-writes",
    name: "a write that fails past EOF",
    operation: write(BLOCK, BLOCK, 0),
    breaks: seen(EFAULT, BLOCK, []),
    keeps: seen(EFAULT, 0, []),
  },
  {
    promise: "size-follows-writes",
    name: "a write inside the file",
    before: oneBlock,
    operation: write(0, 100),
    breaks: seen(100, 100, [[0, 1, "written"]]),
    keeps: seen(100, BLOCK, [[0, 1, "written"]]),
  },
  {
    promise: "size-follows-writes",
    name: "an allocation that keeps the size",
    operation: fallocate("keep_size", 0, BLOCK),
    breaks: seen(0, BLOCK, [[0, 1, "unwritten"]]),
    keeps: seen(0, 0, [[0, 1, "unwritten"]]),
  },
  {
    promise: "read-returns-what-was-written",
    name: "a byte of another write",
    before: [[write(0, 100), seen(100, 100, [[0, 1, "delayed"]])]],
    operation: pread(0, 100),
    breaks: seen(100, 100, [[0, 1, "delayed"]], { read: written(1, 100) }),
    keeps: seen(100, 100, [[0, 1, "delayed"]], { read: written(0, 100) }),
  },
  {
    promise: "read-returns-what-was-written",
    name: "data in a hole",
    before: [sparse],
    operation: pread(0, 100),
    breaks: seen(100, 8 * BLOCK, [], { read: written(0, 100) }),
    keeps: seen(100, 8 * BLOCK, [], { read: new Uint8Array(100) }),
  },
  {
    promise: "read-returns-what-was-written",
    name: "bytes past EOF",
    before: oneBlock,
    operation: pread(BLOCK, 100),
    breaks: seen(100, BLOCK, [[0, 1, "written"]]),
    keeps: seen(0, BLOCK, [[0, 1, "written"]]),
  },
  {
    promise: "released-after-short-write",
    name: "the whole range of a failing write inside EOF",
    options: iomap,
    before: [sparse],
    operation: write(0, 3 * BLOCK, 0),
    breaks: seen(EFAULT, 8 * BLOCK, [[0, 3, "delayed"]]),
    keeps: seen(EFAULT, 8 * BLOCK, []),
  },
  {
    promise: "released-after-short-write",
    name: "the rest of the range of a short write",
    options: iomap,
    before: [sparse],
    operation: write(0, 3 * BLOCK, BLOCK + 1),
    breaks: seen(BLOCK + 1, 8 * BLOCK, [[0, 3, "delayed"]]),
    keeps: seen(BLOCK + 1, 8 * BLOCK, [[0, 2, "delayed"]]),
  },
  {
    promise: "released-after-short-write",
    name: "the rest of the range past EOF, on the buffer_head path",
    operation: write(0, 3 * BLOCK, 1),
    breaks: seen(1, 1, [[0, 3, "delayed"]]),
    keeps: seen(1, 1, [[0, 1, "delayed"]]),
    also: ["nothing-delayed-past-eof"],
  },
  {
    promise: "delayed-by-writing",
    name: "blocks beside a write",
    before: [sparse],
    operation: write(BLOCK, BLOCK),
    breaks: seen(BLOCK, 8 * BLOCK, [[0, 2, "delayed"]]),
    keeps: seen(BLOCK, 8 * BLOCK, [[1, 1, "delayed"]]),
  },
  {
    promise: "delayed-by-writing",
    name: "a read",
    before: [sparse],
    operation: pread(0, BLOCK),
    breaks: seen(BLOCK, 8 * BLOCK, [[0, 1, "delayed"]]),
    keeps: seen(BLOCK, 8 * BLOCK, []),
  },
  {
    promise: "nothing-delayed-past-eof",
    name: "a truncation that forgets what was delayed",
    before: [[write(0, 2 * BLOCK), seen(2 * BLOCK, 2 * BLOCK, [[0, 2, "delayed"]])]],
    operation: truncate(1),
    breaks: seen(0, 1, [[0, 2, "delayed"]]),
    keeps: seen(0, 1, [[0, 1, "delayed"]]),
    also: ["truncated-is-gone"],
  },
  {
    promise: "nothing-delayed-after-sync",
    name: "fsync",
    before: [[write(0, BLOCK), seen(BLOCK, BLOCK, [[0, 1, "delayed"]])]],
    operation: fsync,
    breaks: seen(0, BLOCK, [[0, 1, "delayed"]]),
    keeps: seen(0, BLOCK, [[0, 1, "written"]]),
    also: ["data-has-blocks"],
  },
  {
    promise: "nothing-delayed-after-sync",
    name: "sync_file_range, in its range",
    before: [[write(0, 4 * BLOCK), seen(4 * BLOCK, 4 * BLOCK, [[0, 4, "delayed"]])]],
    operation: { op: "sync_file_range", pos: BLOCK, len: BLOCK },
    breaks: seen(0, 4 * BLOCK, [
      [0, 2, "delayed"],
      [2, 2, "written"],
    ]),
    keeps: seen(0, 4 * BLOCK, [
      [0, 1, "delayed"],
      [1, 1, "written"],
      [2, 2, "delayed"],
    ]),
    also: ["data-has-blocks"],
  },
  {
    promise: "nodelalloc-delays-nothing",
    name: "a write",
    options: nodelalloc,
    operation: write(0, BLOCK),
    breaks: seen(BLOCK, BLOCK, [[0, 1, "delayed"]]),
    keeps: seen(BLOCK, BLOCK, [[0, 1, "written"]]),
  },
  {
    promise: "data-has-blocks",
    name: "a write that leaves a hole",
    operation: write(0, 2 * BLOCK),
    breaks: seen(2 * BLOCK, 2 * BLOCK, [[0, 1, "delayed"]]),
    keeps: seen(2 * BLOCK, 2 * BLOCK, [[0, 2, "delayed"]]),
  },
  {
    promise: "data-has-blocks",
    name: "a sync that leaves data in an unwritten block",
    before: [[write(0, BLOCK), seen(BLOCK, BLOCK, [[0, 1, "delayed"]])]],
    operation: fsync,
    breaks: seen(0, BLOCK, [[0, 1, "unwritten"]]),
    keeps: seen(0, BLOCK, [[0, 1, "written"]]),
  },
  {
    promise: "data-has-blocks",
    name: "a punch that takes its neighbours too",
    before: [[write(0, 2 * BLOCK), seen(2 * BLOCK, 2 * BLOCK, [[0, 2, "delayed"]])]],
    operation: fallocate("punch_hole", 0, BLOCK + 1),
    breaks: seen(0, 2 * BLOCK, []),
    keeps: seen(0, 2 * BLOCK, [[1, 1, "delayed"]]),
  },
  {
    promise: "data-has-blocks",
    name: "a collapse that loses what moves",
    before: [
      [write(2 * BLOCK, BLOCK), seen(BLOCK, 3 * BLOCK, [[2, 1, "delayed"]])],
      [fsync, seen(0, 3 * BLOCK, [[2, 1, "written"]])],
    ],
    operation: fallocate("collapse_range", 0, BLOCK),
    breaks: seen(0, 2 * BLOCK, []),
    keeps: seen(0, 2 * BLOCK, [[1, 1, "written"]]),
  },
  {
    promise: "new-blocks-unwritten",
    name: "a write",
    options: { ...iomap, delalloc: false },
    operation: write(0, BLOCK),
    breaks: seen(BLOCK, BLOCK, [[0, 1, "written"]]),
    keeps: seen(BLOCK, BLOCK, [[0, 1, "unwritten"]]),
  },
  {
    promise: "allocated-stays",
    name: "a write that fails",
    options: nodelalloc,
    before: [[fallocate("keep_size", 0, 4 * BLOCK), seen(0, 0, [[0, 4, "unwritten"]])]],
    operation: write(0, BLOCK, 0),
    breaks: seen(EFAULT, 0, []),
    keeps: seen(EFAULT, 0, [[0, 4, "unwritten"]]),
  },
  {
    promise: "truncated-is-gone",
    name: "a truncation",
    before: [[fallocate("allocate", 0, 4 * BLOCK), seen(0, 4 * BLOCK, [[0, 4, "unwritten"]])]],
    operation: truncate(BLOCK + 1),
    breaks: seen(0, BLOCK + 1, [[0, 4, "unwritten"]]),
    keeps: seen(0, BLOCK + 1, [[0, 2, "unwritten"]]),
  },
  {
    promise: "punched-is-hole",
    name: "a punch",
    before: [[fallocate("allocate", 0, 4 * BLOCK), seen(0, 4 * BLOCK, [[0, 4, "unwritten"]])]],
    operation: fallocate("punch_hole", 1, 3 * BLOCK),
    breaks: seen(0, 4 * BLOCK, [
      [0, 2, "unwritten"],
      [3, 1, "unwritten"],
    ]),
    keeps: seen(0, 4 * BLOCK, [
      [0, 1, "unwritten"],
      [3, 1, "unwritten"],
    ]),
  },
  {
    promise: "inserted-is-hole",
    name: "an insertion",
    before: oneBlock,
    operation: fallocate("insert_range", 0, BLOCK),
    breaks: seen(0, 2 * BLOCK, [
      [0, 1, "unwritten"],
      [1, 1, "written"],
    ]),
    keeps: seen(0, 2 * BLOCK, [[1, 1, "written"]]),
  },
  {
    promise: "fallocate-allocates",
    name: "an allocation that ends early",
    operation: fallocate("allocate", 0, 2 * BLOCK + 1),
    breaks: seen(0, 2 * BLOCK + 1, [[0, 2, "unwritten"]]),
    keeps: seen(0, 2 * BLOCK + 1, [[0, 3, "unwritten"]]),
  },
  {
    promise: "reserved-is-delayed",
    name: "a reservation without a delayed block",
    operation: write(0, BLOCK),
    breaks: seen(BLOCK, BLOCK, [[0, 1, "delayed"]], { reserved: 2 }),
    keeps: seen(BLOCK, BLOCK, [[0, 1, "delayed"]]),
  },
  {
    promise: "blocks-held",
    name: "fewer than the map holds",
    before: [sparse],
    operation: write(0, BLOCK),
    breaks: seen(BLOCK, 8 * BLOCK, [[0, 1, "delayed"]], { st_blocks: 0 }),
    keeps: seen(BLOCK, 8 * BLOCK, [[0, 1, "delayed"]], { st_blocks: 16 }),
  },
  {
    promise: "blocks-held",
    name: "more than an extent tree can take",
    operation: write(0, BLOCK),
    breaks: seen(BLOCK, BLOCK, [[0, 1, "delayed"]], { st_blocks: 24 }),
    keeps: seen(BLOCK, BLOCK, [[0, 1, "delayed"]], { st_blocks: 16 }),
  },
  {
    promise: "cache-is-true",
    name: "a cached hole where there is a block",
    operation: write(0, BLOCK),
    breaks: seen(BLOCK, BLOCK, [[0, 1, "delayed"]], { cache: cached([0, 1, "hole"]) }),
    keeps: seen(BLOCK, BLOCK, [[0, 1, "delayed"]], {
      cache: cached([0, 1, "delayed"], [1, 7, "hole"]),
    }),
  },
  {
    promise: "recovers-clean",
    name: "a complaint of e2fsck after a power cut",
    operation: powerCut,
    breaks: seen(0, 0, [], { cut: left(undefined, ["Free blocks count wrong"]) }),
    keeps: seen(0, 0, [], { cut: left(undefined) }),
  },
  {
    promise: "synced-survives",
    name: "a size that is not there after a power cut",
    before: oneBlock,
    operation: powerCut,
    breaks: seen(0, BLOCK, [[0, 1, "written"]], {
      cut: left({ i_size: 0, map: extents([[0, 1, "written"]]), bytes: new Uint8Array(0) }),
    }),
    keeps: afterOneBlock(written(0, BLOCK)),
  },
  {
    promise: "synced-survives",
    name: "a file that is not there after a power cut",
    before: oneBlock,
    operation: powerCut,
    breaks: seen(0, BLOCK, [[0, 1, "written"]], { cut: left(undefined) }),
    keeps: afterOneBlock(written(0, BLOCK)),
  },
  {
    promise: "synced-survives",
    name: "a byte that is another after a power cut",
    before: oneBlock,
    operation: powerCut,
    breaks: afterOneBlock(written(1, BLOCK)),
    keeps: afterOneBlock(written(0, BLOCK)),
  },
  {
    promise: "synced-survives",
    name: "a block that has no data after a power cut",
    before: oneBlock,
    operation: powerCut,
    breaks: seen(0, BLOCK, [[0, 1, "written"]], {
      cut: left({ i_size: BLOCK, map: extents([[0, 1, "unwritten"]]), bytes: new Uint8Array(0) }),
    }),
    keeps: afterOneBlock(written(0, BLOCK)),
  },
  {
    promise: "synced-bytes-survive",
    name: "a byte synced before another write, that is another after a power cut",
    before: [...oneBlock, secondBlock],
    operation: powerCut,
    breaks: afterSecondBlock(BLOCK, [[0, 1, "written"]], written(1, BLOCK)),
    keeps: afterSecondBlock(BLOCK, [[0, 1, "written"]], written(0, BLOCK)),
  },
  {
    promise: "synced-bytes-survive",
    name: "a block synced before another write, that has no data after a power cut",
    before: [...oneBlock, secondBlock],
    operation: powerCut,
    breaks: afterSecondBlock(BLOCK, [[0, 1, "unwritten"]], new Uint8Array(0)),
    keeps: afterSecondBlock(BLOCK, [[0, 1, "written"]], written(0, BLOCK)),
  },
  {
    promise: "synced-bytes-survive",
    name: "a write with O_DSYNC past the size that a power cut left",
    before: [[dsync(0, BLOCK), seen(BLOCK, BLOCK, [[0, 1, "written"]])]],
    operation: powerCut,
    breaks: seen(0, BLOCK, [[0, 1, "written"]], {
      cut: left({ i_size: 0, map: extents([[0, 1, "written"]]), bytes: new Uint8Array(0) }),
    }),
    keeps: afterOneBlock(written(0, BLOCK)),
  },
  {
    promise: "synced-bytes-survive",
    name: "a file with a write with O_DSYNC, that is not there after a power cut",
    before: [[dsync(0, BLOCK), seen(BLOCK, BLOCK, [[0, 1, "written"]])]],
    operation: powerCut,
    breaks: seen(0, BLOCK, [[0, 1, "written"]], { cut: left(undefined) }),
    keeps: afterOneBlock(written(0, BLOCK)),
  },
  {
    promise: "synced-bytes-survive",
    name: "what was synced and not overwritten",
    before: [
      ...oneBlock,
      [write(0, 512), seen(512, BLOCK, [[0, 1, "written"]])],
      [truncate(2048), seen(0, 2048, [[0, 1, "written"]])],
    ],
    operation: powerCut,
    breaks: seen(0, 2048, [[0, 1, "written"]], {
      cut: left({ i_size: 1024, map: extents([[0, 1, "written"]]), bytes: written(0, 1024) }),
    }),
    keeps: seen(0, 2048, [[0, 1, "written"]], {
      // The overwritten bytes may be either.
      cut: left({ i_size: 2048, map: extents([[0, 1, "written"]]), bytes: eitherThenFirst() }),
    }),
  },
];

/** Bytes of which the first 512 are anybody's, and the rest what `oneBlock` wrote. */
function eitherThenFirst(): Uint8Array {
  const bytes = written(0, BLOCK).slice(0, 2048);
  bytes.fill(7, 0, 512);
  return bytes;
}

/** After `secondBlock` and a power cut that left this of the file. */
function afterSecondBlock(i_size: number, map: readonly Run[], bytes: Uint8Array): Observation {
  return seen(
    0,
    2 * BLOCK,
    [
      [0, 1, "written"],
      [1, 1, "delayed"],
    ],
    { cut: left({ i_size, map: extents(map), bytes }) },
  );
}

/** What a power cut left. */
function left(file: CutFile | undefined, complaints: string[] = []): CutLook {
  return { commits: 1, file, complaints };
}

/** After `oneBlock` and a power cut that left these bytes. */
function afterOneBlock(bytes: Uint8Array): Observation {
  const map = extents([[0, 1, "written"]]);
  return seen(0, BLOCK, [[0, 1, "written"]], { cut: left({ i_size: BLOCK, map, bytes }) });
}

function cached(...entries: [number, number, CacheExtent["state"]][]): CacheExtent[] {
  return entries.map(([lblk, len, state]) => ({ lblk, len, state }));
}

describe("promises", () => {
  test("each has a name of its own, a claim and a source", () => {
    expect(new Set(promises.map(({ id }) => id)).size).toBe(promises.length);
    for (const { claim, source } of promises)
      expect([claim.at(-1), source !== ""]).toEqual([".", true]);
  });

  test("each has an example", () => {
    const shown = new Set(examples.map(({ promise }) => promise));
    expect(promises.map(({ id }) => id).filter((id) => !shown.has(id))).toEqual([]);
  });

  test.each(examples)(
    "$promise: $name",
    ({ promise, options = delalloc, before = [], operation, breaks, keeps, also = [] }) => {
      expect(brokenBy(options, [...before, [operation, keeps]])).toEqual([]);
      const broken = brokenBy(options, [...before, [operation, breaks]]);
      expect(broken.toSorted()).toEqual([promise, ...also].toSorted());
    },
  );
});

describe("what the contract does not promise", () => {
  test("a short write inside EOF on the buffer_head path may leave dirty zeros, and their reservation", () => {
    const failed: Recorded = [write(0, BLOCK, 0), seen(EFAULT, 8 * BLOCK, [[0, 1, "delayed"]])];
    expect(brokenBy(delalloc, [sparse, failed])).toEqual([]);
    expect(brokenBy(iomap, [sparse, failed])).toEqual(["released-after-short-write"]);
  });

  test("a short write over a block that was punched keeps the reservation under a dirty folio, until a sync", () => {
    const dirty: Recorded[] = [
      [write(0, 4 * BLOCK), seen(4 * BLOCK, 4 * BLOCK, [[0, 4, "delayed"]])],
      [
        fallocate("punch_hole", BLOCK, BLOCK),
        seen(0, 4 * BLOCK, [
          [0, 1, "delayed"],
          [2, 2, "delayed"],
        ]),
      ],
    ];
    const failing = write(BLOCK, BLOCK, 0);
    const kept: Recorded = [failing, seen(EFAULT, 4 * BLOCK, [[0, 4, "delayed"]])];
    expect(brokenBy(iomap, [...dirty, kept])).toEqual([]);

    const clean: Run[] = [
      [0, 1, "written"],
      [2, 2, "written"],
    ];
    const synced: Recorded = [fsync, seen(0, 4 * BLOCK, clean)];
    const late: Recorded = [
      failing,
      seen(EFAULT, 4 * BLOCK, [
        [0, 1, "written"],
        [1, 1, "delayed"],
        [2, 2, "written"],
      ]),
    ];
    expect(brokenBy(iomap, [...dirty, synced, late])).toEqual(["released-after-short-write"]);
  });

  test("a store in a pause dirties its folio from where the file ended then, and not where the write moves its end to", () => {
    const store: DuringOperation = { op: "mmap_write", pos: 0, len: BLOCK };
    const paused = (during: DuringOperation[]): Recorded => [
      { op: "paused_write", pos: 2 * BLOCK, len: BLOCK, pause_at: 0, during, after: "continue" },
      seen(
        BLOCK,
        3 * BLOCK,
        [
          [0, 1, "delayed"],
          [2, 1, "delayed"],
        ],
        { during: [undefined, ...during].map(() => ({ result: 0, i_size: BLOCK, reserved: 1 })) },
      ),
    ];
    const first: Recorded = [write(0, BLOCK), seen(BLOCK, BLOCK, [[0, 1, "delayed"]])];
    const short: Recorded = [
      write(0, 2 * BLOCK, BLOCK),
      seen(BLOCK, 3 * BLOCK, [[0, 3, "delayed"]]),
    ];
    expect(brokenBy(iomap, [first, paused([store]), short])).toEqual([]);
    expect(brokenBy(iomap, [first, paused([]), short])).toEqual(["released-after-short-write"]);
  });

  test("blocks that were delayed before a short write stay so", () => {
    const before: Recorded[] = [
      [write(0, 4 * BLOCK), seen(4 * BLOCK, 4 * BLOCK, [[0, 4, "delayed"]])],
      [write(0, 4 * BLOCK, 0), seen(EFAULT, 4 * BLOCK, [[0, 4, "delayed"]])],
    ];
    expect(brokenBy(iomap, before)).toEqual([]);
  });

  test("a store through a mapping makes its whole folio delayed", () => {
    const store: Operation = { op: "mmap_write", pos: 0, len: 1 };
    const after = seen(0, 8 * BLOCK, [[0, 8, "delayed"]]);
    expect(brokenBy(delalloc, [sparse, [store, after]])).toEqual([]);
  });

  test("where space runs out a store may find written what it has stored before", () => {
    const steps: Recorded[] = [
      [write(0, 2 * BLOCK), seen(2 * BLOCK, 2 * BLOCK, [[0, 2, "delayed"]])],
      [truncate(8 * BLOCK), seen(0, 8 * BLOCK, [[0, 2, "delayed"]])],
      [
        { op: "mmap_write", pos: 4 * BLOCK, len: BLOCK },
        seen(0, 8 * BLOCK, [
          [0, 2, "written"],
          [4, 1, "written"],
        ]),
      ],
    ];
    expect(brokenBy({ ...iomap, mayFillUp: true }, steps)).toEqual([]);
    expect(brokenBy(iomap, steps)).toEqual(["new-blocks-unwritten"]);
  });

  test.each([0, EFBIG])("a copy of nothing to behind the largest file returns %i", (result) => {
    const copy: Operation = { op: "copy_range", pos: 0, to_pos: 2 ** 44, len: 1 };
    expect(brokenBy(delalloc, [[copy, seen(result, 0, [])]])).toEqual([]);
    expect(brokenBy(delalloc, [[copy, seen(EINVAL, 0, [])]])).not.toEqual([]);
  });

  test("a store past EOF is none", () => {
    expect(brokenBy(delalloc, [[{ op: "mmap_write", pos: 0, len: 1 }, seen(0, 0, [])]])).toEqual(
      [],
    );
  });

  test("after a call that failed half-way nobody knows the contents", () => {
    const steps: Recorded[] = [
      [write(0, BLOCK), seen(BLOCK, BLOCK, [[0, 1, "delayed"]])],
      [fallocate("zero_range", 0, BLOCK), seen(ENOSPC, BLOCK, [[0, 1, "delayed"]])],
      [pread(0, 1), seen(1, BLOCK, [[0, 1, "delayed"]], { read: new Uint8Array(1) })],
    ];
    expect(brokenBy(delalloc, steps)).toEqual([]);
  });
});

test("of a file of which a failed call has moved the size, nothing is expected on disk; of the next one all is", () => {
  const contract = new Contract(delalloc);
  contract.begin();
  contract.check(write(BLOCK, BLOCK, 0), 0, seen(EFAULT, BLOCK, []));
  expect(contract.file()).toBeUndefined();
  contract.check(write(BLOCK, BLOCK), 1, seen(BLOCK, 2 * BLOCK, [[1, 1, "delayed"]]));
  expect(contract.file()).toBeUndefined();
  contract.check({ op: "unlink" }, 2, seen(0, 0, []));
  expect(contract.file()).toMatchObject({ i_size: 0, map: [] });
});

// ext4_iomap_finish_ioend() tells the journal of a size once the data is on disk.
test.each([
  ["buffer_head", delalloc, ["synced-survives"]],
  ["iomap", iomap, []],
])("of a file that a device refused data for, the size is promised on %s", (_, on, broken) => {
  const map: readonly Run[] = [[0, 1, "unwritten"]];
  const steps: Recorded[] = [
    [write(0, BLOCK), seen(BLOCK, BLOCK, [[0, 1, "delayed"]])],
    [{ op: "fsync", starved: true }, seen(EIO, BLOCK, map)],
    [fsync, seen(0, BLOCK, map)],
    [
      powerCut,
      seen(0, BLOCK, map, {
        cut: left({ i_size: 0, map: extents(map), bytes: new Uint8Array(0) }),
      }),
    ],
  ];
  expect(brokenBy(on, steps)).toEqual(broken);
});

describe("looks at a part of the file", () => {
  const before: Recorded[] = [
    [write(0, 4 * BLOCK), seen(4 * BLOCK, 4 * BLOCK, [[0, 4, "delayed"]])],
    [truncate(64 * BLOCK), seen(0, 64 * BLOCK, [[0, 4, "delayed"]])],
  ];

  /**
   * An observation of blocks [lblk, end) of a file that holds `blocks`, `reserved` of them delayed.
   */
  const part = (
    result: number,
    runs: readonly Run[],
    window: { lblk: number; end: number },
    blocks: number,
    reserved: number,
  ): Observation =>
    seen(result, 64 * BLOCK, runs, {
      windows: [window],
      st_blocks: (blocks * BLOCK) / 512,
      reserved,
    });

  test("only what is visible counts", () => {
    const look = part(0, [[8, 1, "delayed"]], { lblk: 8, end: 12 }, 5, 5);
    expect(
      brokenBy(delalloc, [...before, [write(8 * BLOCK, BLOCK), { ...look, result: BLOCK }]]),
    ).toEqual([]);
    const behind = part(EFAULT, [], { lblk: 0, end: 4 }, 4, 4);
    expect(brokenBy(delalloc, [...before, [write(8 * BLOCK, BLOCK, 0), behind]])).toEqual([
      "data-has-blocks",
    ]);
  });

  test("what was seen elsewhere is remembered", () => {
    const first: Recorded = [
      write(8 * BLOCK, 2 * BLOCK),
      part(2 * BLOCK, [[8, 2, "delayed"]], { lblk: 8, end: 12 }, 6, 6),
    ];
    const read: Recorded = [pread(0, 1), part(1, [[0, 4, "delayed"]], { lblk: 0, end: 6 }, 6, 6)];
    const again: Recorded = [
      write(8 * BLOCK, 3 * BLOCK, 0),
      part(EFAULT, [[8, 2, "delayed"]], { lblk: 6, end: 14 }, 6, 6),
    ];
    expect(brokenBy(iomap, [...before, first, read, again])).toEqual([]);
    const more: Recorded = [
      write(8 * BLOCK, 3 * BLOCK, 0),
      part(EFAULT, [[8, 3, "delayed"]], { lblk: 6, end: 14 }, 7, 7),
    ];
    expect(brokenBy(iomap, [...before, first, read, more])).toEqual(["released-after-short-write"]);
  });
});

describe("a case", () => {
  test("begins with an empty file, whatever was before it", () => {
    const contract = new Contract(iomap);
    contract.begin();
    contract.check(truncate(8 * BLOCK), 0, seen(0, 8 * BLOCK, []));
    contract.begin();
    const broken = contract.check(write(0, BLOCK), 0, seen(BLOCK, BLOCK, [[0, 1, "delayed"]]));
    expect(broken).toEqual([]);
  });

  test("may have operations that came with another", () => {
    const contract = new Contract(delalloc);
    contract.begin();
    contract.check(write(0, BLOCK), 0, seen(BLOCK, BLOCK, [[0, 1, "delayed"]]));
    const grown = seen(0, 2 * BLOCK, [
      [0, 1, "delayed"],
      [1, 1, "unwritten"],
    ]);
    const grow = fallocate("allocate", BLOCK, BLOCK);
    const ids = contract.check(grow, 1, grown, [fsync]).map(({ promise }) => promise);
    expect(ids).toContain("nothing-delayed-after-sync");
  });

  test("a broken promise says where, in plain data", () => {
    const contract = new Contract(iomap);
    contract.begin();
    contract.check(sparse[0], 0, sparse[1]);
    const [broken] = contract.check(
      write(0, 3 * BLOCK, 0),
      1,
      seen(EFAULT, 8 * BLOCK, [[0, 3, "delayed"]]),
    );
    expect(JSON.parse(JSON.stringify(broken))).toEqual({
      promise: "released-after-short-write",
      severity: "accounting",
      claim: promises.find(({ id }) => id === "released-after-short-write")!.claim,
      step: 1,
      message: "blocks 0-2 are delayed since the write, which put no byte there",
    });
  });
});
