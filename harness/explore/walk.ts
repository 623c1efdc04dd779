/**
 * Walks: in which order the edges of a graph are driven on a kernel, whose state cannot be copied.
 *
 * Layer by layer, so that what diverges first does so at the end of a shortest path: first the edges of the empty file, then those of all
 * states one operation away, and so on. Within a layer a walk goes on from where an edge led to, as long as an edge that is left is no
 * more than two operations away; else a new file goes straight to the next state that has some. On such a way an edge of the next layer
 * may come before its time.
 */
import { EdgeSet } from "./driven.ts";
import { NOT_TRIED } from "./graph.ts";
import type { Graph } from "./graph.ts";

/** What to do next. */
export interface Leg {
  /** On a new, empty file. */
  fresh: boolean;
  /** Numbers of operations of the alphabet; the last of them is an edge that is left, unless the kernel goes elsewhere on the way. */
  operations: number[];
}

/** Operations on one file, at most: its blocks scatter, and what it was is kept to be reported. */
const LONGEST_WALK = 256;

/** How often a new file is sent to a state that it does not come to. */
const TRIES = 3;

export class Walks {
  readonly #graph: Graph;
  readonly #operations: number;
  /** It was driven, or is not to be. */
  readonly #done: EdgeSet;
  /** Of all of them, these were driven, whether now or before. */
  readonly #driven: EdgeSet;
  /** Of each state, edges that are left. */
  readonly #left: Int32Array;
  /** The first state that may have some; all before it have none. */
  #next = 0;
  #length = 0;
  /** Edges that are to be driven. */
  readonly edges: number;
  /** Of these, those that were. */
  driven = 0;
  /** Of these, those that had been when the walks began. */
  readonly before: number;
  /** And those of states that the kernel does not come to by their path: it places blocks elsewhere than the model has it. */
  unreached = 0;
  /** How often the way to the next state did not lead there. */
  #missed = 0;

  /** The edges of the states for which `mine` holds, without those that were driven before. */
  constructor(graph: Graph, mine: (state: number) => boolean = () => true, before?: EdgeSet) {
    this.#graph = graph;
    this.#operations = graph.alphabet.length;
    const size = graph.explored * this.#operations;
    this.#done = new EdgeSet(size);
    this.#driven = new EdgeSet(size);
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
          this.#driven.add(edge);
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

  /** Edges that were driven, before or now. */
  get drivenEdges(): EdgeSet {
    return this.#driven;
  }

  /** Operations of the path to the states whose edges are driven now. */
  get layer(): number {
    return this.#graph.depths[this.#next] ?? Infinity;
  }

  /** The edge was driven. */
  drove(state: number, by: number): void {
    const edge = state * this.#operations + by;
    this.#length += 1;
    if (state < 0 || state >= this.#left.length || this.#done.has(edge)) return;
    this.#done.add(edge);
    this.#driven.add(edge);
    this.#left[state]! -= 1;
    this.driven += 1;
  }

  /** A new file did not come to the state that it was to go to. After some times that state is left out. */
  missed(): void {
    this.#missed += 1;
    if (this.#missed < TRIES) return;
    const state = this.#next;
    this.unreached += this.#left[state]!;
    this.#left[state] = 0;
    for (let by = 0; by < this.#operations; by++) this.#done.add(state * this.#operations + by);
    this.#missed = 0;
  }

  /** What to do next, where the file is in a state of this number, or in none that is known; undefined where all is done. */
  next(at: number): Leg | undefined {
    while (this.#next < this.#left.length && this.#left[this.#next] === 0) {
      this.#next += 1;
      this.#missed = 0;
    }
    if (this.#next === this.#left.length) return undefined;
    const way = this.#length < LONGEST_WALK ? this.#onwards(at) : undefined;
    if (way !== undefined) return { fresh: false, operations: way };
    this.#length = 0;
    const by = this.#leftAt(this.#next);
    return { fresh: true, operations: [...this.#graph.pathTo(this.#next), by] };
  }

  /** An edge that is left of a state in this layer or one before it: one that stays there, one that leads to others, any. */
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
