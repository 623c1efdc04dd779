/**
 * RWF_DONTCACHE: pages that are cached after each operation, as Linux 6.18.44 has them.
 */
import { expect, test } from "vitest";
import { kernels } from "../../../model/kernels/kernels.ts";
import { ModelSubject } from "../../lockstep/model-subject.ts";
import { knownConfig } from "../../under-test/kernel-traits.ts";
import { variantNamed } from "../../under-test/variants.ts";
import type { Operation } from "../operation.ts";

const write = (pos: number, len: number): Operation => ({ op: "pwrite", pos, len, readable: len });
const uncached = (pos: number, len: number): Operation =>
  ({ ...write(pos, len), dontcache: true }) as Operation;
const read = (pos: number, len: number): Operation => ({ op: "pread", pos, len });

test.each<[string, string, Operation[], number[]]>([
  ["goes where blocks are converted", "4k-delalloc", [uncached(0, 8192)], [0]],
  ["stays where an interrupt ends the I/O", "4k-nodelalloc", [uncached(0, 8192)], [2]],
  [
    "goes when it is read, if it is written over",
    "4k-delalloc",
    [uncached(0, 8192), uncached(0, 8192), read(0, 4096)],
    [0, 2, 0],
  ],
  [
    "stays where it is before the first page that takes a mapping",
    "4k-delalloc",
    [uncached(0, 8192), uncached(0, 12288)],
    [0, 2],
  ],
  [
    "goes with the next page that takes a mapping",
    "4k-delalloc",
    [uncached(4096, 4096), write(0, 4096), uncached(0, 12288)],
    [0, 1, 1],
  ],
  [
    "stays where another write wants it",
    "4k-delalloc",
    [uncached(0, 4096), uncached(0, 4096), write(0, 10), { op: "fsync" }, read(0, 4096)],
    [0, 1, 1, 1, 1],
  ],
  [
    "stays where a store wants it",
    "4k-delalloc",
    [uncached(0, 4096), uncached(0, 4096), { op: "mmap_write", pos: 0, len: 1 }, read(0, 4096)],
    [0, 1, 1, 1],
  ],
  [
    "stays where EOF was, in a page of several blocks",
    "1k-delalloc",
    [{ op: "ftruncate", size: 1024 }, uncached(2048, 1024)],
    [0, 1],
  ],
  [
    "goes when a read comes to it from a page that was missing, past EOF",
    "4k-delalloc",
    [
      { op: "pwrite", pos: 0, len: 12288, readable: 8192, dontcache: true },
      { op: "fsync" },
      read(4096, 8192),
    ],
    [1, 1, 1],
  ],
  ["stays where what is before it is zeroed", "4k-delalloc", [uncached(512, 4096)], [1]],
])("what it writes %s (%s)", (_, variant, operations, pages) => {
  const model = new ModelSubject(knownConfig(variantNamed(variant), kernels["6.18"]));
  model.begin();
  const seen = operations.map((operation, index) => model.step(operation, index).pages);
  expect(seen).toEqual(pages.map((cached) => expect.objectContaining({ cached }) as unknown));
});
