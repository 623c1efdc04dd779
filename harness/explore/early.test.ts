/**
 * Which divergence an exploration ends with, and what it leaves for another time: a model that lies
 * on chosen edges stands in for the kernel.
 */
import { describe, expect, test } from "vitest";
import { settingOf } from "../../properties/settings.ts";
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { alphabetOf } from "./alphabet.ts";
import { EdgeSet } from "./driven.ts";
import { Graph, UNKNOWN } from "./graph.ts";
import { exploreModelled, ModelledKernel } from "./modelled-kernel.ts";
import { Walks } from "./walk.ts";

const { config } = settingOf(variantNamed("4k-delalloc"), "6.18");
const alphabet = alphabetOf("unsynced", 2, 4096);
const graph = new Graph({ config, overrides: [], alphabet, most: 8192, depth: Infinity });
graph.grow();

/** A kernel that returns something else where an operation is done in a state. */
class LyingKernel extends ModelledKernel {
  readonly #lies: ReadonlySet<string>;

  constructor(lies: ReadonlySet<string>) {
    super(config);
    this.#lies = lies;
  }

  override step(operation: Operation, index: number): Observation {
    const state = graph.idOf(this.inode);
    const seen = super.step(operation, index);
    if (!this.#lies.has(`${state} ${alphabet.indexOf(operation)}`)) return seen;
    return { ...seen, result: seen.result + 1 };
  }
}

/** A kernel that lies on these edges, explored until something is found. */
function explored(lies: readonly string[], before?: EdgeSet) {
  const walks = new Walks(graph, undefined, before);
  const { found } = exploreModelled(new LyingKernel(new Set(lies)), config, graph, walks);
  return { found, walks };
}

interface Driven {
  edge: string;
  /** Operations of a shortest sequence that ends with it. */
  length: number;
  /** That of the edges whose turn it was. */
  turn: number;
}

/** The edges in the order in which they are driven. */
function inOrder(): Driven[] {
  const walks = new Walks(graph);
  const all = new Map<string, Driven>();
  let at = UNKNOWN;
  for (let leg = walks.next(at); leg !== undefined; leg = walks.next(at)) {
    const turn = walks.layer + 1;
    if (leg.goal !== undefined) at = 0;
    for (const by of leg.operations) {
      const edge = `${at} ${by}`;
      if (!all.has(edge)) all.set(edge, { edge, length: graph.depths[at]! + 1, turn });
      walks.drove(at, by);
      at = graph.target(at, by);
    }
  }
  return [...all.values()];
}

const order = inOrder();
/** Edges that are driven before it is their turn, and some of them. */
const allEarly = order.filter(({ length, turn }) => length > turn);
const early = allEarly.filter((_, i) => i % 40 === 0);

function numberOf(edge: string): number {
  const [state = 0, by = 0] = edge.split(" ").map(Number);
  return state * alphabet.length + by;
}

describe("an exploration of a kernel that is wrong on some edges", () => {
  test("comes to some before their turn", () => {
    expect(order).toHaveLength(graph.edges);
    expect(early.length).toBeGreaterThan(5);
  });

  test("finds each of them", () => {
    for (const { edge, length } of early) {
      expect(explored([edge]).found?.shortest).toHaveLength(length);
    }
  });

  test("ends with the shortest, whichever it comes to first", () => {
    for (const { edge, length } of early) {
      const at = order.findIndex((one) => one.edge === edge);
      const shorter = order.findLast((one, i) => i > at && one.length === length - 1);
      if (shorter === undefined) continue;
      expect(explored([edge, shorter.edge]).found?.shortest).toHaveLength(length - 1);
    }
  });

  test("ends with the shortest of two that come before their turn", () => {
    const pairs = allEarly.flatMap((one, i) => {
      const later = allEarly.slice(i + 1).filter((two) => two.length < one.length);
      return later.slice(0, 1).map((two) => [one, two] as const);
    });
    expect(pairs.length).toBeGreaterThan(0);
    for (const [one, other] of pairs) {
      expect(explored([one.edge, other.edge]).found?.shortest).toHaveLength(other.length);
    }
  });

  test("ends with the one that came before its turn, where what is left lies further out than that", () => {
    let tried = 0;
    for (const { edge, length, turn } of early) {
      const further = order.findLast((one) => one.turn > turn && one.length > length);
      if (further === undefined) continue;
      tried += 1;
      // Nothing is left between the layer in which it comes and what lies further out.
      const before = new EdgeSet(graph.explored * alphabet.length);
      for (const one of order) {
        if (one.turn > turn && one !== further) before.add(numberOf(one.edge));
      }
      expect(explored([edge, further.edge], before).found?.shortest).toHaveLength(length);
    }
    expect(tried).toBeGreaterThan(5);
  });

  test("counts none as driven that diverged, so that who goes on finds it again", () => {
    for (const { edge } of early) {
      const first = explored([edge]);
      expect(first.found).toBeDefined();
      expect(first.walks.drivenEdges.has(numberOf(edge))).toBe(false);
      const second = explored([edge], first.walks.drivenEdges);
      expect(second.walks.before).toBe(first.walks.driven);
      expect(second.found?.shortest).toEqual(first.found?.shortest);
    }
  });
});

test("a page cache that is another one for a moment ends nothing, and its edge is driven again", () => {
  /** Holds a folio the first time that each of some edges is driven. */
  class HoldingKernel extends ModelledKernel {
    readonly held = new Map(early.map(({ edge }) => [edge, 0]));

    override step(operation: Operation, index: number): Observation {
      const edge = `${graph.idOf(this.inode)} ${alphabet.indexOf(operation)}`;
      const seen = super.step(operation, index);
      const times = this.held.get(edge);
      if (times === undefined) return seen;
      this.held.set(edge, times + 1);
      return times === 0 ? { ...seen, pages: { cached: 9, dirty: 9 } } : seen;
    }
  }
  const kernel = new HoldingKernel(config);
  const walks = new Walks(graph);
  const { found, explorer } = exploreModelled(kernel, config, graph, walks);
  expect(found).toBeUndefined();
  expect(explorer.explored).toMatchObject({ transient: early.length, driven: graph.edges });
  // Held; begun anew; and once more from the state that it is an edge of.
  expect(Math.min(...kernel.held.values())).toBe(3);
});
