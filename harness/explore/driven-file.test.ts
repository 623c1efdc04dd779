import { join } from "node:path";
import * as tmp from "tmp";
import { afterAll, describe, expect, test } from "vitest";
import { EdgeSet } from "./driven.ts";
import type { DrivenEdges } from "./driven.ts";
import { DrivenFile } from "./driven-file.ts";

const directory = tmp.dirSync({ unsafeCleanup: true });
afterAll(() => directory.removeCallback());

const WHAT = {
  release: "6.18.0",
  build: "#1",
  blocks: 1,
  alphabet: "blocks",
  strict: false,
} as const;
const [GRAPH, OTHER] = ["a".repeat(64), "b".repeat(64)];

function edges(graph: string, ...numbers: number[]): DrivenEdges {
  const set = new EdgeSet(64);
  for (const number of numbers) set.add(number);
  return set.pack(graph);
}

/** What is driven of a variant, by a new reading of the file. */
function stored(path: string, variant: string): number[] {
  const set = EdgeSet.unpack(new DrivenFile(path).before[variant]!)!;
  return Array.from({ length: 64 }, (_, edge) => edge).filter((edge) => set.has(edge));
}

function begun(path: string): DrivenFile {
  const file = new DrivenFile(path);
  file.begin(WHAT);
  return file;
}

describe("a file of driven edges", () => {
  test("has what several jobs drove, and what was driven before", () => {
    const path = join(directory.name, "jobs.json");
    const file = begun(path);
    file.add("4k-delalloc", edges(GRAPH, 1, 2));
    file.add("4k-delalloc", edges(GRAPH, 3));
    file.add("1k-delalloc", edges(GRAPH, 9));
    expect(stored(path, "4k-delalloc")).toEqual([1, 2, 3]);
    expect(stored(path, "1k-delalloc")).toEqual([9]);
    begun(path).add("4k-delalloc", edges(GRAPH, 5));
    expect(stored(path, "4k-delalloc")).toEqual([1, 2, 3, 5]);
  });

  test("may be written by two at once", () => {
    const path = join(directory.name, "shards.json");
    const [one, two] = [begun(path), begun(path)];
    one.add("4k-delalloc", edges(GRAPH, 1));
    two.add("4k-delalloc", edges(GRAPH, 2));
    expect(stored(path, "4k-delalloc")).toEqual([1, 2]);
    expect([...one.notes, ...two.notes]).toEqual([]);
  });

  test("keeps nothing of another graph, and says so", () => {
    const path = join(directory.name, "other.json");
    begun(path).add("4k-delalloc", edges(OTHER, 1));
    const file = begun(path);
    file.add("4k-delalloc", edges(GRAPH, 2));
    expect(stored(path, "4k-delalloc")).toEqual([2]);
    expect(file.notes).toEqual([expect.stringMatching(/edges of another graph of 4k-delalloc/)]);
  });

  test("is not gone on with on another build of the kernel", () => {
    const path = join(directory.name, "build.json");
    begun(path);
    expect(() => new DrivenFile(path).begin({ ...WHAT, build: "#2" })).toThrow(
      /its build of the kernel is #1, not #2/,
    );
  });
});
