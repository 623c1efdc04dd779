/**
 * The graph of a small file, and walks over it that leave nothing out. It takes no kernel.
 */
import { describe, expect, test } from "vitest";
import { settingOf } from "../../properties/settings.ts";
import { variantNamed } from "../under-test/variants.ts";
import { alphabetName, alphabetOf, fits } from "./alphabet.ts";
import type { AlphabetName } from "./alphabet.ts";
import { Graph, NOT_TRIED, UNKNOWN } from "./graph.ts";
import { Walks } from "./walk.ts";

function graphOf(alphabet: AlphabetName, blocks: number, depth = Infinity): Graph {
  const variant = variantNamed("4k-delalloc");
  const { config } = settingOf(variant, "6.18");
  const letters = alphabetOf(alphabet, blocks, variant.blockSize);
  const most = blocks * variant.blockSize;
  const graph = new Graph({ config, overrides: [], alphabet: letters, most, depth });
  graph.grow();
  return graph;
}

/** Where a path leads. */
function end(graph: Graph, path: readonly number[]): number {
  return path.reduce((state, by) => graph.target(state, by), 0);
}

/** The writes to a file of one block. */
function writes(name: AlphabetName): string[] {
  return alphabetOf(name, 1, 4096)
    .filter((one) => one.op === "pwrite")
    .map(({ pos, len, readable }) => `${pos}+${len}:${readable}`);
}

describe("an alphabet", () => {
  test("is asked for by name", () => {
    expect(alphabetName("bytes")).toBe("bytes");
    expect(() => alphabetName("everything")).toThrow(/there are: blocks, bytes, unsynced/);
  });

  test("has every cut of every write, one byte beside the boundaries where that is asked for", () => {
    expect(writes("blocks")).toEqual(["0+4096:0", "0+4096:4096"]);
    expect(writes("bytes")).toEqual(
      expect.arrayContaining(["0+4096:1", "0+4096:4095", "1+4095:4094", "4095+1:0"]),
    );
  });

  test("asks for nothing twice", () => {
    for (const name of ["blocks", "bytes", "unsynced"] as const) {
      const letters = alphabetOf(name, 2, 1024).map((one) => JSON.stringify(one));
      expect(new Set(letters).size).toBe(letters.length);
    }
  });

  test("does not move a file past its bound", () => {
    const insert = { op: "fallocate", mode: "insert_range", pos: 0, len: 4096 } as const;
    expect(fits(insert, 4096, 8192)).toBe(true);
    expect(fits(insert, 4097, 8192)).toBe(false);
  });
});

describe("a graph", () => {
  const graph = graphOf("blocks", 1);

  test("closes, and every state's path leads to it and is as long as it is deep", () => {
    expect(graph.closed).toBe(true);
    expect(graph.states).toBeGreaterThan(20);
    for (let state = 0; state < graph.states; state++) {
      const path = graph.pathTo(state);
      expect([end(graph, path), path.length]).toEqual([state, graph.depths[state]]);
    }
  });

  test("has no state that an edge leads to and it does not know", () => {
    for (let state = 0; state < graph.states; state++) {
      for (let by = 0; by < graph.alphabet.length; by++) {
        expect(graph.target(state, by)).toBeGreaterThanOrEqual(NOT_TRIED);
      }
    }
  });

  test("ends where it is told to, and says so", () => {
    const shallow = graphOf("blocks", 1, 2);
    expect([shallow.closed, shallow.deepest]).toEqual([false, 2]);
    expect(shallow.explored).toBeLessThan(shallow.states);
    expect(shallow.target(shallow.states - 1, 0)).toBe(UNKNOWN);
  });

  test("leaves the rest where there are too many, and can be walked all the same", () => {
    const { config } = settingOf(variantNamed("4k-delalloc"), "6.18");
    const alphabet = alphabetOf("blocks", 1, 4096);
    const options = { config, overrides: [], alphabet, most: 4096, depth: Infinity };
    const cut = new Graph({ ...options, maxStates: 40 });
    expect(cut.grow()).toBe(true);
    expect([cut.closed, cut.full]).toEqual([false, true]);
    expect(cut.unfolded).toBeLessThan(40 + alphabet.length);
    expect(walk(cut, new Walks(cut)).driven).toHaveLength(cut.edges);
  });

  test("has fewer states than the model", () => {
    expect(graph.states).toBeLessThan(graph.unfolded / 2);
  });

  test("has a digest that tells it from others", () => {
    expect(graphOf("blocks", 1).digest).toBe(graph.digest);
    expect(graphOf("bytes", 1).digest).not.toBe(graph.digest);
    expect(graphOf("blocks", 1, 2).digest).not.toBe(graph.digest);
  });

  test("is the same however often it is interrupted", () => {
    const variant = variantNamed("4k-delalloc");
    const { config } = settingOf(variant, "6.18");
    const letters = alphabetOf("blocks", 1, 4096);
    const options = { config, overrides: [], alphabet: letters, most: 4096, depth: Infinity };
    const slow = new Graph(options);
    let pieces = 1;
    while (!slow.grow(0)) pieces += 1;
    expect(pieces).toBeGreaterThan(1);
    expect([...slow.keys]).toEqual([...graph.keys]);
  });
});

/**
 * Walk where the graph says; the edges in the order in which they were driven for the first time.
 */
function walk(graph: Graph, walks: Walks): { driven: string[]; operations: number } {
  const driven = new Set<string>();
  let at = UNKNOWN;
  let operations = 0;
  for (let leg = walks.next(at); leg !== undefined; leg = walks.next(at)) {
    if (leg.goal !== undefined) at = 0;
    for (const by of leg.operations) {
      driven.add(`${at} ${by}`);
      operations += 1;
      walks.drove(at, by);
      at = graph.target(at, by);
    }
  }
  return { driven: [...driven], operations };
}

const drivenIn = ({ drivenEdges: driven, divergedEdges: diverged }: Walks) => ({
  driven,
  diverged,
});

describe("walks", () => {
  const graph = graphOf("unsynced", 2);

  test("drive every edge, with few operations on the way", () => {
    const walks = new Walks(graph);
    const { driven, operations } = walk(graph, walks);
    expect(driven).toHaveLength(graph.edges);
    expect([walks.edges, walks.driven]).toEqual([graph.edges, graph.edges]);
    expect(operations / graph.edges).toBeLessThan(3);
  });

  test("drive all edges of a layer before those of the next, but for those on the way", () => {
    const walks = new Walks(graph);
    const layers: number[] = [];
    let at = UNKNOWN;
    for (let leg = walks.next(at); leg !== undefined; leg = walks.next(at)) {
      layers.push(walks.layer);
      if (leg.goal !== undefined) at = 0;
      for (const by of leg.operations) {
        walks.drove(at, by);
        expect(graph.depths[at]).toBeLessThanOrEqual(walks.layer + 2);
        at = graph.target(at, by);
      }
    }
    expect(layers).toEqual(layers.toSorted((a, b) => a - b));
    expect(walks.layer).toBe(Infinity);
  });

  test("of several jobs drive each edge once, but for those on the way", () => {
    const shares = [0, 1, 2].map((job) => new Walks(graph, (state) => state % 3 === job));
    const driven = shares.map((share) => walk(graph, share).driven);
    expect(shares.reduce((sum, { edges }) => sum + edges, 0)).toBe(graph.edges);
    expect(new Set(driven.flat()).size).toBe(graph.edges);
  });

  test("go on from what was driven before", () => {
    const first = new Walks(graph);
    const half = graph.edges / 2;
    let at = UNKNOWN;
    while (first.driven < half) {
      const leg = first.next(at)!;
      if (leg.goal !== undefined) at = 0;
      for (const by of leg.operations) {
        first.drove(at, by);
        at = graph.target(at, by);
      }
    }
    const second = new Walks(graph, undefined, drivenIn(first));
    expect([second.edges, second.before]).toEqual([graph.edges, first.driven]);
    const { driven } = walk(graph, second);
    expect(second.driven).toBe(graph.edges);
    expect(driven.length).toBeGreaterThanOrEqual(graph.edges - first.driven);
    expect(new Walks(graph, undefined, drivenIn(second)).next(UNKNOWN)).toBeUndefined();
  });

  /** Walk where the graph says, but for some edges that lead elsewhere; as the explorer does. */
  function walkAstray(walks: Walks, elsewhere: ReadonlyMap<string, number>): void {
    let at = UNKNOWN;
    for (let leg = walks.next(at); leg !== undefined; leg = walks.next(at)) {
      if (leg.goal !== undefined) at = 0;
      for (const [index, by] of leg.operations.entries()) {
        if (leg.goal !== undefined && index === leg.operations.length - 1 && at !== leg.goal) {
          walks.missed();
          break;
        }
        walks.drove(at, by);
        const target = graph.target(at, by);
        at = elsewhere.get(`${at} ${by}`) ?? target;
        if (at === target) continue;
        walks.strayed(at);
        if (leg.goal === undefined) break;
      }
    }
  }

  test("come to a state by another way where the shortest does not lead there", () => {
    let tried = 0;
    for (let state = graph.explored - 1; state > 0 && tried < 10; state--) {
      const path = graph.pathTo(state);
      const before = end(graph, path.slice(0, -1));
      const others = graph.alphabet.flatMap((_, by) =>
        graph.depths.flatMap((depth, from) =>
          from !== before &&
          from !== state &&
          depth <= graph.depths[before]! &&
          graph.target(from, by) === state
            ? [from]
            : [],
        ),
      );
      if (others.length === 0) continue;
      tried += 1;
      const walks = new Walks(graph);
      walkAstray(walks, new Map([[`${before} ${path.at(-1)}`, 0]]));
      expect([walks.unreached, walks.driven]).toEqual([0, graph.edges]);
    }
    expect(tried).toBe(10);
  });

  test("leave out a state to which nothing leads, and no other", () => {
    const state = graph.explored - 1;
    const elsewhere = new Map<string, number>();
    let left = 0;
    for (let by = 0; by < graph.alphabet.length; by++) {
      if (graph.target(state, by) >= 0) left += 1;
      for (let from = 0; from < graph.explored; from++) {
        if (graph.target(from, by) === state) elsewhere.set(`${from} ${by}`, 0);
      }
    }
    const walks = new Walks(graph);
    walkAstray(walks, elsewhere);
    expect([walks.unreached, walks.driven]).toEqual([left, graph.edges - left]);
  });

  test("leave a state out that the kernel does not come to", () => {
    const walks = new Walks(graph);
    for (let leg = walks.next(UNKNOWN); leg !== undefined; leg = walks.next(UNKNOWN)) {
      walks.missed();
    }
    expect([walks.unreached, walks.driven]).toEqual([graph.edges, 0]);
  });

  test("take a state up again that the kernel comes to after all", () => {
    const walks = new Walks(graph);
    while (walks.unreached === 0) {
      walks.next(UNKNOWN);
      walks.missed();
    }
    expect(walks.unreached).toBeGreaterThan(0);
    expect(walks.next(0)).toMatchObject({ operations: [expect.any(Number)] });
    expect(walks.unreached).toBe(0);
    expect(walk(graph, walks).driven).toHaveLength(graph.edges);
  });

  test("go on where the kernel went elsewhere", () => {
    const walks = new Walks(graph);
    const first = walks.next(UNKNOWN)!;
    walks.drove(0, first.operations[0]!);
    expect(walks.next(UNKNOWN)).toMatchObject({ goal: 0 });
    expect(walks.driven).toBe(1);
  });
});
