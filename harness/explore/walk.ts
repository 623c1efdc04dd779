/**
 * Walks: in which order the edges of a graph are driven on a kernel, whose state cannot be copied.
 *
 * Layer by layer, so that what diverges first does so at the end of a shortest path: first the
 * edges of the empty file, then those of all states one operation away, and so on. Within a layer a
 * walk goes on from where an edge led to, as long as an edge that is left is no more than two
 * operations away; else a new file goes straight to the next state that has some. On such a way an
 * edge of the next layer may come before its time.
 */
import { EdgeSet } from "./driven.ts";
import { NOT_TRIED } from "./graph.ts";
import type { Graph } from "./graph.ts";

/** What to do next. */
export interface Leg {
  /**
   * On a new, empty file: the state to which all operations but the last lead; undefined where the
   * file goes on.
   */
  goal: number | undefined;
  /**
   * Numbers of operations of the alphabet; the last of them is an edge that is left, unless the
   * kernel goes elsewhere on the way.
   */
  operations: number[];
}

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

/** Operations on one file, at most: its blocks scatter, and what it was is kept to be reported. */
const LONGEST_WALK = 256;

/** How often a new file is sent to a state that it does not come to, each time by another way. */
const TRIES = 16;

/** How often the file may go elsewhere before a new one is taken. */
const MOST_STRAYS = 4;

/** Of the steps that lead no nearer to the empty file, the share that is taken. */
const AROUND = 0.25;

export class Walks {
  readonly #graph: Graph;
  readonly #operations: number;
  /** It was driven, or is not to be. */
  readonly #done: EdgeSet;
  /** Of all of them, these were driven, whether now or before. */
  readonly drivenEdges: EdgeSet;
  /** Of each state, edges that are left. */
  readonly #left: Int32Array;
  /** The first state that may have some; all before it have none. */
  #next = 0;
  /** What was done to the file. */
  #walked: number[] = [];
  /** Edges that are to be driven. */
  readonly edges: number;
  /** Of these, those that were. */
  driven = 0;
  /** Of these, those that had been when the walks began. */
  readonly before: number;
  /**
   * And those of states that the kernel does not come to: it places blocks elsewhere than the model
   * has it.
   */
  unreached = 0;
  /** Of each state that the kernel did not come to by its path, its edges that were left. */
  readonly #givenUp = new Map<number, number[]>();
  /**
   * Of a state to which a file came otherwise than the graph has it, what had been done to that
   * file.
   */
  readonly #ways = new Map<number, number[]>();
  /** How often the way to the next state did not lead there. */
  #missed = 0;
  #random = 1;
  /** How often this file went elsewhere than the graph has it. */
  #strays = 0;
  #waysInto: ReturnType<typeof waysInto> | undefined;

  /** The edges of the states for which `mine` holds, without those that were driven before. */
  constructor(graph: Graph, mine: (state: number) => boolean = () => true, before?: EdgeSet) {
    this.#graph = graph;
    this.#operations = graph.alphabet.length;
    const size = graph.explored * this.#operations;
    this.#done = new EdgeSet(size);
    this.drivenEdges = new EdgeSet(size);
    this.#left = new Int32Array(graph.explored);
    let edges = 0;
    for (let state = 0; state < graph.explored; state++) {
      const own = mine(state);
      for (let by = 0; by < this.#operations; by++) {
        const edge = state * this.#operations + by;
        this.#done.add(edge);
        if (!own || graph.target(state, by) === NOT_TRIED) continue;
        edges += 1;
        if (before?.has(edge) === true) {
          this.drivenEdges.add(edge);
          this.driven += 1;
        } else {
          this.#done.delete(edge);
          this.#left[state]! += 1;
        }
      }
    }
    this.edges = edges;
    this.before = this.driven;
  }

  /** Operations of the path to the states whose edges are driven now. */
  get layer(): number {
    return this.#graph.depths[this.#next] ?? Infinity;
  }

  /** The edge was driven. */
  drove(state: number, by: number): void {
    if (state === this.#next && this.#missed > 0) {
      this.#ways.set(state, [...this.#walked]);
      this.#missed = 0;
    }
    this.#walked.push(by);
    const edge = this.#settle(state, by);
    if (edge < 0) return;
    this.drivenEdges.add(edge);
    this.driven += 1;
  }

  /**
   * The edge diverged. It is not asked for again, and not counted as driven: who goes on another
   * time comes to it again.
   */
  diverged(state: number, by: number): void {
    this.#settle(state, by);
  }

  /** Number of the edge, which is left no more; negative where it was not. */
  #settle(state: number, by: number): number {
    const edge = state * this.#operations + by;
    if (state < 0 || state >= this.#left.length || this.#done.has(edge)) return -1;
    this.#done.add(edge);
    this.#left[state]! -= 1;
    return edge;
  }

  /**
   * The edge that was driven last led to another state than the graph has it: its blocks lie as
   * they must for that.
   */
  strayed(to: number): void {
    this.#strays += 1;
    if (to >= 0 && !this.#ways.has(to)) this.#ways.set(to, [...this.#walked]);
  }

  /**
   * A new file did not come to the state that it was to go to. After some times that state is left
   * out, until something leads there.
   */
  missed(): void {
    this.#missed += 1;
    if (this.#missed < TRIES) return;
    const state = this.#next;
    const edges: number[] = [];
    for (let by = 0; by < this.#operations; by++) {
      const edge = state * this.#operations + by;
      if (this.#done.has(edge)) continue;
      this.#done.add(edge);
      edges.push(edge);
    }
    this.#givenUp.set(state, edges);
    this.unreached += edges.length;
    this.#left[state] = 0;
    this.#missed = 0;
  }

  /** The file has come to a state that was given up. */
  #takeUp(state: number, edges: readonly number[]): void {
    for (const edge of edges) this.#done.delete(edge);
    this.#givenUp.delete(state);
    this.#ways.set(state, [...this.#walked]);
    this.#missed = 0;
    this.unreached -= edges.length;
    this.#left[state] = edges.length;
    this.#next = Math.min(this.#next, state);
  }

  /**
   * What to do next, where the file is in a state of this number, or in none that is known;
   * undefined where all is done.
   */
  next(at: number): Leg | undefined {
    const givenUp = this.#givenUp.get(at);
    if (givenUp !== undefined) this.#takeUp(at, givenUp);
    while (this.#next < this.#left.length && this.#left[this.#next] === 0) {
      this.#next += 1;
      this.#missed = 0;
    }
    if (this.#next === this.#left.length) return undefined;
    const goesOn = this.#walked.length < LONGEST_WALK && this.#strays < MOST_STRAYS;
    const way = goesOn ? this.#onwards(at) : undefined;
    if (way !== undefined) return { goal: undefined, operations: way };
    this.#walked = [];
    this.#strays = 0;
    const goal = this.#next;
    return { goal, operations: [...this.#wayTo(goal), this.#leftAt(goal)] };
  }

  /**
   * A way to the next state: a shortest one, one by which a file did get there, or any other after
   * that one missed.
   */
  #wayTo(state: number): number[] {
    if (this.#missed === 0) return this.#ways.get(state) ?? this.#graph.pathTo(state);
    this.#waysInto ??= waysInto(this.#graph);
    const { depths } = this.#graph;
    const { starts, before, by } = this.#waysInto;
    const way: number[] = [];
    for (let at = state; at !== 0;) {
      const [from, end] = [starts[at]!, starts[at + 1]!];
      const i = from + Math.floor(this.#draw() * (end - from));
      const [last, depth] = [before[i]!, depths[at]!];
      // Mostly towards the empty file, now and then around.
      if (depths[last]! > depth || (depths[last] === depth && this.#draw() > AROUND)) continue;
      way.push(by[i]!);
      at = last;
    }
    return way.toReversed();
  }

  /**
   * A number from 0 to 1, the same ones each time: a linear congruential generator (Numerical
   * Recipes).
   */
  #draw(): number {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) >>> 0;
    return this.#random / 2 ** 32;
  }

  /**
   * An edge that is left of a state in this layer or one before it: one that stays there, one that
   * leads to others, any.
   */
  #leftAt(state: number): number {
    let best = -1;
    for (let by = 0; by < this.#operations; by++) {
      if (this.#done.has(state * this.#operations + by)) continue;
      const target = this.#graph.target(state, by);
      if (target === state) return by;
      if (best < 0 || this.#hasLeft(target)) best = by;
    }
    return best;
  }

  #hasLeft(state: number): boolean {
    const { depths } = this.#graph;
    if (state < 0 || state >= this.#left.length || this.#left[state] === 0) return false;
    return depths[state]! <= depths[this.#next]!;
  }

  /** The way to an edge that is left, if it is short. */
  #onwards(at: number): number[] | undefined {
    if (at < 0 || at >= this.#left.length) return undefined;
    if (this.#hasLeft(at)) return [this.#leftAt(at)];
    const limit = this.#graph.depths[this.#next]!;
    for (let first = 0; first < this.#operations; first++) {
      const target = this.#graph.target(at, first);
      if (this.#hasLeft(target)) return [first, this.#leftAt(target)];
    }
    // No longer than the way from the empty file.
    if (limit < 2) return undefined;
    for (let first = 0; first < this.#operations; first++) {
      const middle = this.#graph.target(at, first);
      if (middle < 0 || middle === at || middle >= this.#left.length) continue;
      for (let second = 0; second < this.#operations; second++) {
        const target = this.#graph.target(middle, second);
        if (this.#hasLeft(target)) return [first, second, this.#leftAt(target)];
      }
    }
    return undefined;
  }
}
