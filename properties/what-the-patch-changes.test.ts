/**
 * That the document on what the patch changes is current, and right about the two promises of the
 * patch: its tables are what the model does, and what it says beside them holds in every state of a
 * small file.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { alphabetOf } from "../harness/explore/alphabet.ts";
import { applied } from "../harness/explore/applied.ts";
import type { Applied } from "../harness/explore/applied.ts";
import { overridesOf, sideOf } from "../harness/differences/side.ts";
import { extentMap } from "../harness/lockstep/model-subject.ts";
import type { ExtentState } from "../harness/case/observation.ts";
import { describeOperation } from "../harness/operations/operation.ts";
import type { Operation } from "../harness/operations/operation.ts";
import { createFileSystem, createInode, fsync } from "../model/file-system.ts";
import { copyFile, stateKey } from "../model/state.ts";
import type { Inode } from "../model/include/types.ts";
import { compared, comparisons, introduction, sectionOf } from "./what-the-patch-changes.ts";

/** What is to be done where the document is not what the model finds. */
const currency = (current: boolean): string =>
  current ? "current" : "old: npm run build && npm run what-the-patch-changes";

/** Formatted, the columns are as wide as what is in them. */
const narrow = (text: string): string => text.replaceAll(/[ \n]+/g, "").replaceAll(/-{3,}/g, "---");

const text = narrow(
  readFileSync(new URL("../model/what-the-patch-changes.md", import.meta.url), "utf8"),
);

describe("the document", () => {
  test("begins as it should", () => {
    expect(currency(text.startsWith(narrow(introduction())))).toBe("current");
  });

  test.each(comparisons)("$title", (comparison) => {
    expect(currency(text.includes(narrow(sectionOf(comparison))))).toBe("current");
  });

  test("has nothing else", () => {
    expect(currency(text.split("##").length - 1 === comparisons.length)).toBe("current");
  });
});

/** What block `lblk` is. */
function stateOf(inode: Inode, lblk: number): ExtentState | "hole" {
  const at = extentMap(inode).find(
    (extent) => extent.lblk <= lblk && lblk < extent.lblk + extent.len,
  );
  return at?.state ?? "hole";
}

/** An operation in a state. */
interface Edge {
  before: Inode;
  operation: Operation;
  after: Applied;
}

/** Every operation in every state that a file of two blocks comes to within `depth` operations. */
function* edgesOf(name: string, depth: number): Generator<Edge> {
  const side = sideOf(name);
  const { blockSize } = side.config;
  const alphabet = alphabetOf("blocks", 2, blockSize);
  const root = createInode(createFileSystem(side.config, overridesOf(side)));
  root.i_sb.s_recordsDisk = false;
  let frontier = [copyFile(root)];
  const known = new Set(frontier.map(stateKey));
  for (let layer = 0; layer < depth; layer++) {
    const found: Inode[] = [];
    for (const before of frontier) {
      for (const operation of alphabet) {
        const after = applied(before, operation, 2 * blockSize, layer + 1);
        if (after === undefined) continue;
        yield { before, operation, after };
        const key = stateKey(after.inode);
        if (known.has(key)) continue;
        known.add(key);
        found.push(after.inode);
      }
    }
    frontier = found;
  }
}

/**
 * The first operation of which something can be said of one of its two blocks; undefined where
 * there is none.
 */
function firstWhere(
  name: string,
  holds: (edge: Edge, lblk: number) => boolean,
): string | undefined {
  for (const edge of edgesOf(name, 4)) {
    if ([0, 1].some((lblk) => holds(edge, lblk))) return describeOperation(edge.operation);
  }
  return undefined;
}

const writes = ({ op }: Operation): boolean => op === "pwrite" || op === "mmap_write";
const allocated = (state: string): boolean => state === "written" || state === "unwritten";

/** A write or a store makes a written block of a hole. */
const allocatesWritten = ({ before, operation, after }: Edge, lblk: number): boolean =>
  writes(operation) && stateOf(before, lblk) === "hole" && stateOf(after.inode, lblk) === "written";

/**
 * A write that ends short leaves a hole as it was past EOF, though it came to map it: what it
 * allocated is truncated.
 */
const truncates = ({ before, operation, after }: Edge, lblk: number): boolean =>
  operation.op === "pwrite" &&
  operation.readable === 0 &&
  operation.pos === lblk * before.i_sb.s_blocksize &&
  stateOf(before, lblk) === "hole" &&
  !allocated(stateOf(after.inode, lblk));

/**
 * A write leaves a block past EOF delayed that was not delayed before. Inside i_size it may: a
 * store through a mapping may have made the block dirty, with its folio, when it was past EOF.
 */
const keepsReservation = ({ before, operation, after }: Edge, lblk: number): boolean => {
  const { i_size, i_sb } = after.inode;
  return (
    operation.op === "pwrite" &&
    lblk * i_sb.s_blocksize >= i_size &&
    stateOf(before, lblk) !== "delayed" &&
    stateOf(after.inode, lblk) === "delayed"
  );
};

/** An fsync leaves something reserved. */
const survivesSync = ({ after }: Edge): boolean => {
  const synced = copyFile(after.inode);
  fsync(synced);
  return synced.i_reserved_data_blocks > 0;
};

describe("the first promise: new blocks are unwritten, so nothing is truncated", () => {
  test("on buffer_head blocks are allocated written, and truncated after a write that fails", () => {
    expect(firstWhere("4k-nodelalloc", allocatesWritten)).toBe("pwrite(pos=0, len=4096)");
    expect(firstWhere("4k-nodelalloc", truncates)).toBe("pwrite(pos=0, len=4096, readable=0)");
  });

  test.each(["4k-nodelalloc-iomap", "1k-nodelalloc-iomap"])("on %s neither", (name) => {
    expect(firstWhere(name, allocatesWritten)).toBeUndefined();
    expect(firstWhere(name, truncates)).toBeUndefined();
  });

  test.each(["4k-delalloc-iomap", "4k-dioread-lock-iomap"])("%s allocates unwritten", (name) => {
    expect(firstWhere(name, allocatesWritten)).toBeUndefined();
  });
});

describe("the second promise: what a short write reserved and did not use is given back", () => {
  test.each(["4k-delalloc", "4k-delalloc-iomap", "1k-delalloc-iomap"])("on %s", (name) => {
    expect(firstWhere(name, keepsReservation)).toBeUndefined();
    expect(firstWhere(name, survivesSync)).toBeUndefined();
  });

  test.each([
    "4k-delalloc-iomap+delayed-blocks-not-new",
    "4k-delalloc@6.18+short-write-keeps-reservation",
  ])("not on %s, by one call, and for good", (name) => {
    const call = "pwrite(pos=0, len=4096, readable=0)";
    expect(firstWhere(name, keepsReservation)).toBe(call);
    expect(firstWhere(name, survivesSync)).toBe(call);
  });
});

describe("what a program sees", () => {
  test.each(["4k-delalloc", "4k-nodelalloc", "4k-dioread-lock", "1k-delalloc"])(
    "is the same on both paths of %s",
    (a) => {
      const { alike } = compared({ a, b: `${a}-iomap` }, { blocks: 2, depth: 3, goOn: true });
      expect(alike).toEqual(
        expect.arrayContaining(["result", "i_size", "read", "contents", "direct read"]),
      );
    },
  );
});
