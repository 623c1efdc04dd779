/**
 * Ways: how a file comes from the empty file to a state of a graph, without going over an edge that
 * has diverged. What lies behind such an edge is not what the model has there.
 */
import { EdgeSet } from "./driven.ts";
import type { Graph } from "./graph.ts";

/**
 * Edges by where they lead, from other states: those to state s are numbers starts[s] to starts[s +
 * 1].
 */
function waysInto(graph: Graph) {
  const { states, explored, alphabet } = graph;
  const starts = new Int32Array(states + 2);
  const each = (edge: (target: number, state: number, by: number) => void): void => {
    for (let state = 0; state < explored; state++) {
      for (let by = 0; by < alphabet.length; by++) {
        const target = graph.target(state, by);
        if (target >= 0 && target !== state) edge(target, state, by);
      }
    }
  };
  each((target) => (starts[target + 2]! += 1));
  for (let state = 2; state < starts.length; state++) starts[state]! += starts[state - 1]!;
  const edges = starts.at(-1)!;
  const [before, bys] = [new Int32Array(edges), new Int32Array(edges)];
  each((target, state, by) => {
    const i = starts[target + 1]!++;
    before[i] = state;
    bys[i] = by;
  });
  return { starts, before, by: bys };
}

/** A shortest way to each state: how long it is, the state before its end, the operation there. */
interface Tree {
  /** Infinity where no way leads. */
  depths: ArrayLike<number>;
  before: Int32Array;
  by: Int32Array;
}

/** Of the steps that lead no nearer to the empty file, the share that is taken. */
const AROUND = 0.25;

export class Ways {
  readonly #graph: Graph;
  /** Edges that no way goes over. */
  readonly #closed: EdgeSet;
  /** Undefined as long as the graph's own will do. */
  #tree: Tree | undefined;
  #isStale = false;
  #waysInto: ReturnType<typeof waysInto> | undefined;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#closed = new EdgeSet(graph.explored * graph.alphabet.length);
  }

  #edge(state: number, by: number): number {
    return state * this.#graph.alphabet.length + by;
  }

  /** No way goes over the edge from now on, which is one of a state that was explored. */
  close(state: number, by: number): void {
    this.#closed.add(this.#edge(state, by));
    const target = this.#graph.target(state, by);
    if (target < 0 || target === state) return;
    const tree = this.#tree;
    if (tree === undefined || (tree.before[target] === state && tree.by[target] === by)) {
      this.#isStale = true;
    }
  }

  /** Whether no way goes over the edge; of a state that was not explored no edge is known. */
  isClosed(state: number, by: number): boolean {
    return state >= 0 && state < this.#graph.explored && this.#closed.has(this.#edge(state, by));
  }

  /** Whether some way leads to the state. */
  leadTo(state: number): boolean {
    return this.#depths()[state] !== Infinity;
  }

  /** Numbers of the operations of a shortest way to a state to which one leads. */
  shortest(state: number): number[] {
    this.#renew();
    const tree = this.#tree;
    if (tree === undefined) return this.#graph.pathTo(state);
    const way: number[] = [];
    for (let at = state; at !== 0; at = tree.before[at]!) way.push(tree.by[at]!);
    return way.toReversed();
  }

  /**
   * Those of any way to such a state, mostly a short one. `draw`: a number from 0 to 1, each time
   * another one.
   */
  any(state: number, draw: () => number): number[] {
    const depths = this.#depths();
    this.#waysInto ??= waysInto(this.#graph);
    const { starts, before, by } = this.#waysInto;
    const way: number[] = [];
    for (let at = state; at !== 0;) {
      const [from, end] = [starts[at]!, starts[at + 1]!];
      const i = from + Math.floor(draw() * (end - from));
      const [last, depth] = [before[i]!, depths[at]!];
      // Mostly towards the empty file, now and then around.
      if (depths[last]! > depth || (depths[last] === depth && draw() > AROUND)) continue;
      if (this.isClosed(last, by[i]!)) continue;
      way.push(by[i]!);
      at = last;
    }
    return way.toReversed();
  }

  #depths(): ArrayLike<number> {
    this.#renew();
    return this.#tree?.depths ?? this.#graph.depths;
  }

  /** Where an edge of the tree was closed, the tree is another one. */
  #renew(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    this.#tree = this.#grown();
  }

  #grown(): Tree {
    const { states, explored, alphabet } = this.#graph;
    const depths = new Float64Array(states).fill(Infinity);
    const [before, bys] = [new Int32Array(states).fill(-1), new Int32Array(states).fill(-1)];
    const queue = [0];
    depths[0] = 0;
    for (const state of queue) {
      if (state >= explored) continue;
      for (let by = 0; by < alphabet.length; by++) {
        const target = this.#graph.target(state, by);
        if (target < 0 || depths[target] !== Infinity || this.isClosed(state, by)) continue;
        depths[target] = depths[state]! + 1;
        before[target] = state;
        bys[target] = by;
        queue.push(target);
      }
    }
    return { depths, before, by: bys };
  }
}
