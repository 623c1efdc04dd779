import { join } from "node:path";
import * as tmp from "tmp";
import { afterAll, describe, expect, test } from "vitest";
import { EdgeSet, packEdges, unpackEdges } from "../explore/driven.ts";
import type { DrivenEdges } from "../explore/driven.ts";
import { identityOf } from "../finding/identity.ts";
import type { FoundDivergence } from "../stored/result.ts";
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

const membersOf = (set: EdgeSet): number[] =>
  Array.from({ length: 64 }, (_, edge) => edge).filter((edge) => set.has(edge));

/** What is driven of a variant, by a new reading of the file. */
const stored = (path: string, variant: string): number[] =>
  membersOf(EdgeSet.unpack(new DrivenFile(path).before[variant]!)!);

function begun(path: string): DrivenFile {
  const file = new DrivenFile(path);
  file.begin(WHAT);
  return file;
}

function found(fields: Partial<FoundDivergence> = {}): FoundDivergence {
  const variant = "4k-delalloc";
  const operations = [{ op: "fsync" as const }];
  const divergence = { variant, step: 0, operations, kind: "map" as const, message: "no" };
  return { variant, case: 1, divergence, confirmed: true, named: [], met: 2, ...fields };
}

const nothing = new Map<string, string>();

describe("findings in a file of driven edges", () => {
  test("are known by who goes on, and added up with what that finds", () => {
    const path = join(directory.name, "found.json");
    const all = [found()];
    const first = begun(path);
    first.addFound(all);
    all[0]!.met += 3;
    first.add("4k-delalloc", edges(GRAPH, 1), all);
    const again = new DrivenFile(path);
    const [known, ...others] = again.foundBefore(nothing);
    expect([known, others]).toEqual([found({ met: 5 }), []]);
    again.begin(WHAT);
    known!.met += 1;
    again.addFound([known!]);
    expect(new DrivenFile(path).foundBefore(nothing)).toEqual([found({ met: 6 })]);
  });

  test("of two that write at once are counted together", () => {
    const path = join(directory.name, "found-by-two.json");
    const [one, two] = [begun(path), begun(path)];
    one.addFound([found({ confirmed: false })]);
    two.addFound([found(), found({ variant: "1k-delalloc" })]);
    const all = new DrivenFile(path).foundBefore(nothing);
    expect(all).toEqual([found({ met: 4 }), found({ variant: "1k-delalloc" })]);
  });

  test("are accepted by who accepts them now", () => {
    const path = join(directory.name, "accepted.json");
    begun(path).addFound([found({ accepted: "then.json" })]);
    const file = new DrivenFile(path);
    expect(file.foundBefore(nothing)[0]).not.toHaveProperty("accepted");
    const now = new Map([[identityOf(found().divergence), "now.json"]]);
    expect(file.foundBefore(now)[0]).toMatchObject({ accepted: "now.json" });
  });
});

describe("a file of driven edges", () => {
  test("has those that diverged apart", () => {
    const path = join(directory.name, "diverged.json");
    const file = begun(path);
    const diverged = (number: number): DrivenEdges => {
      const [none, one] = [new EdgeSet(64), new EdgeSet(64)];
      one.add(number);
      return packEdges(GRAPH, none, one);
    };
    file.add("4k-delalloc", edges(GRAPH, 1));
    file.add("4k-delalloc", diverged(2));
    file.add("4k-delalloc", diverged(3));
    const all = unpackEdges(new DrivenFile(path).before["4k-delalloc"]!)!;
    expect([all.driven, all.diverged].map(membersOf)).toEqual([[1], [2, 3]]);
  });

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
