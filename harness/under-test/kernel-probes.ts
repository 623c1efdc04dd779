/**
 * How each change that a kernel may have (model/kernels/changes.ts) is told from what can be seen:
 * a few operations on an empty file, and what shows in a kernel that has it.
 *
 * Those of the iomap path are of what tells two tables apart that differ in that change alone
 * (harness/differences/). They are tried on the model of each known kernel, ideal and with
 * deviations, and on nothing else: not on a kernel with the series.
 */
import { changeNames, changes } from "../../model/kernels/changes.ts";
import type { Change, ChangeName } from "../../model/kernels/changes.ts";
import type { KernelFacts } from "../../model/kernels/kernels.ts";
import { EINVAL } from "../../model/include/errno.ts";
import type { ExtentState, Observation } from "../case/observation.ts";
import type { Variant } from "../case/variant.ts";
import type { Operation } from "../operations/operation.ts";

export type Path = KernelFacts["path"];

interface Probe {
  blockSize: 1024 | 4096;
  operations: readonly Operation[];
  /** Whether the kernel has the change, by what was seen after the last of them. */
  shows: (seen: Observation) => boolean;
}

const stateOf = ({ map }: Observation, block: number): ExtentState | "hole" =>
  map.find(({ lblk, len }) => lblk <= block && block < lblk + len)?.state ?? "hole";

const probes: Partial<Record<ChangeName, Probe>> = {
  // In a kernel that faults in first, such a write does not come to the file system. A kernel that
  // leaves nothing of it reserved is taken for one.
  "prepare-before-fault-in": {
    blockSize: 4096,
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 0 }],
    shows: ({ reserved }) => reserved > 0,
  },
  // A read that ends at EOF, on a sector, and asks for a byte more.
  "align-by-mapping": {
    blockSize: 1024,
    operations: [
      { op: "pwrite", pos: 0, len: 1024, readable: 1024 },
      { op: "fsync" },
      { op: "direct_read", pos: 0, len: 1025 },
    ],
    shows: ({ result }) => result !== EINVAL,
  },
  // A block behind EOF, in the page that holds EOF, survives a punch that is cut off at EOF's block.
  "punch-to-block": {
    blockSize: 1024,
    operations: [
      { op: "pwrite", pos: 0, len: 512, readable: 512 },
      { op: "fallocate", mode: "keep_size", pos: 0, len: 4096 },
      { op: "fallocate", mode: "punch_hole", pos: 0, len: 8192 },
    ],
    shows: ({ map }) => map.length > 0,
  },
  // A punch of all that a small file has frees its block where the end is rounded up.
  "punch-to-block-at-eof": {
    blockSize: 1024,
    operations: [
      { op: "pwrite", pos: 0, len: 512, readable: 512 },
      { op: "fallocate", mode: "punch_hole", pos: 0, len: 512 },
    ],
    shows: ({ map }) => map.length === 0,
  },
  // Of an empty file, to behind the largest.
  "copy-nothing-anywhere": {
    blockSize: 1024,
    operations: [{ op: "copy_range", pos: 0, to_pos: 4398046510080, len: 1 }],
    shows: ({ result }) => result === 0,
  },
  // Zeroing after the write zeroes the head of its block too, and puts that block's page on the list
  // of what a commit writes. A later commit then takes the dirt off that page while it lies past
  // EOF, and its blocks stay delayed when it does no longer. In a kernel that faults in first, the
  // write that should end short at the page does not come to it: such kernels are older.
  "zero-gap-first": {
    blockSize: 1024,
    operations: [
      { op: "pwrite", pos: 4608, len: 4096, readable: 4096 },
      { op: "ftruncate", size: 512 },
      { op: "pwrite", pos: 0, len: 8192, readable: 4096 },
      { op: "fsync" },
      { op: "pwrite", pos: 8192, len: 1024, readable: 1024 },
      { op: "fsync" },
    ],
    shows: (seen) => stateOf(seen, 4) === "written",
  },
  // The block is allocated for what of it is not zeroed. Writing it back first makes it written.
  "zero-dirty-folios": {
    blockSize: 4096,
    operations: [
      { op: "pwrite", pos: 0, len: 1, readable: 1 },
      { op: "fallocate", mode: "zero_range", pos: 0, len: 1 },
    ],
    shows: (seen) => stateOf(seen, 0) === "unwritten",
  },
  // Zeros over what is on disk show by nothing but the page that is dirty. Where that is not told,
  // the kernel is taken for a later one.
  "zero-when-growing": {
    blockSize: 4096,
    operations: [
      { op: "pwrite", pos: 0, len: 1, readable: 1 },
      { op: "fsync" },
      { op: "ftruncate", size: 4096 },
    ],
    shows: ({ pages }) => pages?.dirty !== 0,
  },
  // A block that turns unwritten, in a folio that has others, is written back again if it is dirty.
  "clean-when-invalidated": {
    blockSize: 1024,
    operations: [
      { op: "pwrite", pos: 0, len: 1024, readable: 1024 },
      { op: "fallocate", mode: "zero_range", pos: 0, len: 1024 },
      { op: "fsync" },
    ],
    shows: (seen) => stateOf(seen, 0) === "unwritten",
  },
  // A write past EOF that fails at once has zeroed EOF's block before, of which the page is dirty.
  // Where that is not told, the kernel is taken for a later one.
  "zero-eof-first": {
    blockSize: 4096,
    operations: [
      { op: "pwrite", pos: 0, len: 1, readable: 1 },
      { op: "fsync" },
      { op: "pwrite", pos: 8192, len: 1, readable: 0 },
    ],
    shows: ({ pages }) => pages?.dirty !== 0,
  },
  // EOF's block is a hole, in a page that is dirty; else the page is written back.
  "zero-no-holes": {
    blockSize: 1024,
    operations: [
      { op: "pwrite", pos: 0, len: 1024, readable: 1024 },
      { op: "ftruncate", size: 3072 },
      { op: "ftruncate", size: 1500 },
    ],
    shows: (seen) => stateOf(seen, 0) === "delayed",
  },
  "keep-truncated-tail-dirty": {
    blockSize: 4096,
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "ftruncate", size: 512 },
    ],
    shows: (seen) => stateOf(seen, 0) === "delayed",
  },
  "write-back-before-punching": {
    blockSize: 4096,
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fallocate", mode: "punch_hole", pos: 0, len: 1 },
    ],
    shows: (seen) => stateOf(seen, 0) === "written",
  },
  // A page that zeroing has brought in past EOF. Where that is not told, the kernel is taken for an
  // earlier one.
  "keep-pages-when-growing": {
    blockSize: 4096,
    operations: [
      { op: "fallocate", mode: "zero_range_keep_size", pos: 4096, len: 512 },
      { op: "ftruncate", size: 4096 },
    ],
    shows: ({ pages }) => pages !== undefined && pages.cached > 0,
  },
  // Two writes, for two folios.
  "map-dirty-blocks": {
    blockSize: 4096,
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "pwrite", pos: 4096, len: 4096, readable: 4096 },
      { op: "sync_file_range", pos: 0, len: 4096 },
    ],
    shows: (seen) => stateOf(seen, 1) === "delayed",
  },
};

/**
 * The changes that files on a path with blocks of `blockSize` bytes tell: what is about both paths,
 * those on that of every released kernel.
 */
export function toldBy(blockSize: Variant["blockSize"], path: Path): ChangeName[] {
  return changeNames.filter((name) => {
    const { path: shownBy = "buffer_head" }: Change = changes[name];
    return probes[name]?.blockSize === blockSize && shownBy === path;
  });
}

/**
 * The changes that a kernel shows on a path, of those that are told by files with blocks of
 * `blockSize` bytes; `observe` performs operations on an empty file there.
 */
export function shownChanges(
  observe: (operations: readonly Operation[]) => Observation[],
  blockSize: Variant["blockSize"],
  path: Path,
): ChangeName[] {
  return toldBy(blockSize, path).filter((name) => {
    const { operations, shows } = probes[name]!;
    return shows(observe(operations).at(-1)!);
  });
}
