/**
 * What an exploration finds, where it does not go on from that, and what it leaves for another
 * time: a model that lies on chosen edges stands in for the kernel.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testSeed } from "../../properties/seed.ts";
import { settingOf } from "../../properties/settings.ts";
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { alphabetOf } from "./alphabet.ts";
import { leftOf } from "./explored.ts";
import { Graph, UNKNOWN } from "./graph.ts";
import { exploreModelled, ModelledKernel } from "./modelled-kernel.ts";
import { Walks } from "./walk.ts";
import type { Before } from "./walk.ts";

const { config } = settingOf(variantNamed("4k-delalloc"), "6.18");
const alphabet = alphabetOf("unsynced", 2, 4096);
const graph = new Graph({ config, overrides: [], alphabet, most: 8192, depth: Infinity });
graph.grow();

/** How often each edge was driven that is a lie. */
type Lies = Map<string, number>;

const liesOn = (edges: readonly string[]): Lies => new Map(edges.map((edge) => [edge, 0]));

/** A kernel that returns something else where an operation is done in a state. */
class LyingKernel extends ModelledKernel {
  readonly #lies: Lies;

  constructor(lies: Lies) {
    super(config);
    this.#lies = lies;
  }

  override step(operation: Operation, index: number): Observation {
    const edge = `${graph.idOf(this.inode)} ${alphabet.indexOf(operation)}`;
    const seen = super.step(operation, index);
    const times = this.#lies.get(edge);
    if (times === undefined) return seen;
    this.#lies.set(edge, times + 1);
    return { ...seen, result: seen.result + 1 };
  }
}

/** Such a kernel, explored. */
function explored(
  lies: Lies,
  { before, most = Infinity }: { before?: Before; most?: number } = {},
) {
  const walks = new Walks(graph, undefined, before);
  const boot = (): LyingKernel => new LyingKernel(lies);
  return { walks, ...exploreModelled(boot, config, graph, walks, (all) => all.length >= most) };
}

/** The states to which edges lead that are no lies. */
function reachable(lies: Lies): Set<number> {
  const states = new Set([0]);
  for (const state of states) {
    for (let by = 0; by < alphabet.length; by++) {
      const target = graph.target(state, by);
      if (target >= 0 && !lies.has(`${state} ${by}`)) states.add(target);
    }
  }
  return states;
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

const allEdges = order.map(({ edge }) => edge);
const someEdges = fc.subarray(allEdges, { maxLength: 400 });

describe("an exploration of a kernel that is wrong on some edges", () => {
  test("comes to some before their turn", () => {
    expect(order).toHaveLength(graph.edges);
    expect(early.length).toBeGreaterThan(5);
  });

  test("finds each of them, at the end of a shortest sequence", () => {
    for (const { edge, length } of early) {
      const { found } = explored(liesOn([edge]), { most: 1 });
      expect(found.map(({ shortest }) => shortest.length)).toEqual([length]);
    }
  });

  test("drives each once, enters none, and all that can be reached without", () => {
    fc.assert(
      fc.property(someEdges, (edges) => {
        const lies = liesOn(edges);
        const { found, explorer, walks } = explored(lies);
        const states = reachable(lies);
        const isReached = (edge: string): boolean => states.has(Number(edge.split(" ")[0]));
        const [met, behind] = [edges.filter(isReached), allEdges.filter((one) => !isReached(one))];
        expect(found).toHaveLength(met.length);
        expect([...lies].filter(([, times]) => times > 0)).toEqual(
          [...lies].flatMap(([edge]) => (isReached(edge) ? [[edge, 1]] : [])),
        );
        const { driven, ...counts } = explorer.explored;
        expect(counts).toMatchObject({
          diverged: met.length,
          behind: behind.length,
          unreached: 0,
        });
        expect(driven).toBe(graph.edges - met.length - behind.length);
        expect(leftOf(explorer.explored)).toBe(0);
        expect(
          allEdges.filter((edge) => walks.divergedEdges.has(numberOf(edge))).toSorted(),
        ).toEqual(met.toSorted());
        expect(met.some((edge) => walks.drivenEdges.has(numberOf(edge)))).toBe(false);
      }),
      { seed: testSeed, numRuns: 5 },
    );
  });

  test("leaves out what lies behind them alone", () => {
    const into = allEdges.filter((edge) => {
      const [state = 0, by = 0] = edge.split(" ").map(Number);
      return state === 0 && graph.target(state, by) !== 0;
    });
    const { explorer } = explored(liesOn(into));
    const own = allEdges.filter((edge) => edge.startsWith("0 ")).length;
    expect(explorer.explored).toMatchObject({
      driven: own - into.length,
      diverged: into.length,
      behind: graph.edges - own,
    });
  });

  test("goes on another time with what is left, and around what had diverged", () => {
    fc.assert(
      fc.property(someEdges, fc.nat(40), (edges, most) => {
        const lies = liesOn(edges);
        const { found, walks: first } = explored(lies, { most });
        const before = { driven: first.drivenEdges, diverged: first.divergedEdges };
        const again = explored(lies, { before });
        expect(again.walks.before).toBe(first.driven);
        expect(Math.max(0, ...lies.values())).toBeLessThanOrEqual(1);
        const whole = explored(liesOn(edges));
        expect(found.length + again.found.length).toBe(whole.found.length);
        const { driven, diverged, behind } = again.explorer.explored;
        expect({ driven, diverged, behind }).toMatchObject({
          driven: whole.walks.driven,
          diverged: whole.walks.diverged,
          behind: whole.walks.behind,
        });
      }),
      { seed: testSeed, numRuns: 5 },
    );
  });

  test("counts an edge as one that diverged which did so only the second time", () => {
    const { edge } = order.find(({ edge: one }) => one === "0 0")!;
    const walks = new Walks(graph);
    walks.drove(0, 0);
    walks.hasDiverged(0, 0);
    expect([walks.driven, walks.diverged]).toEqual([0, 1]);
    expect(walks.drivenEdges.has(numberOf(edge))).toBe(false);
    walks.hasDiverged(0, 0);
    expect(walks.diverged).toBe(1);
    expect(walks.isClosed(0, 0)).toBe(true);
  });

  test("ends where a file diverges on the way from no state that is known", () => {
    const walks = new Walks(graph);
    while (walks.next(UNKNOWN) !== undefined) walks.hasDiverged(UNKNOWN, 0);
    expect([walks.unreached, walks.diverged]).toEqual([graph.edges, 0]);
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
  const { found, explorer } = exploreModelled(() => kernel, config, graph, walks);
  expect(found).toEqual([]);
  expect(explorer.explored).toMatchObject({ transient: early.length, driven: graph.edges });
  // Held; begun anew; and once more from the state that it is an edge of.
  expect(Math.min(...kernel.held.values())).toBe(3);
});
