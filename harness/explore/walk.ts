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

/** How often a new file is sent to a state that it does not come to, each time by another way. */
const TRIES = 16;

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
  /** What was done to the file. */
  #walked: number[] = [];
  /** Edges that are to be driven. */
  readonly edges: number;
  /** Of these, those that were. */
  driven = 0;
  /** Of these, those that had been when the walks began. */
  readonly before: number;
  /** And those of states that the kernel does not come to: it places blocks elsewhere than the model has it. */
  unreached = 0;
  /** Of each state that the kernel did not come to by its path, its edges that were left. */
  readonly #givenUp = new Map<number, number[]>();
  /** Of a state that the kernel does not come to by its path, a way by which it did. */
  readonly #ways = new Map<number, number[]>();
  /** How often the way to the next state did not lead there. */
  #missed = 0;
  #random = 1;

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
    if (state === this.#next && this.#missed > 0) {
      this.#ways.set(state, [...this.#walked]);
      this.#missed = 0;
    }
    this.#walked.push(by);
    if (state < 0 || state >= this.#left.length || this.#done.has(edge)) return;
    this.#done.add(edge);
    this.#driven.add(edge);
    this.#left[state]! -= 1;
    this.driven += 1;
  }

  /** A new file did not come to the state that it was to go to. After some times that state is left out, until something leads there. */
  missed(): void {
    this.#missed += 1;
    if (this.#missed < TRIES) return;
    const state = this.#next;
    const edges: number[] = [];
    for (let by = 0; by < this.#operations; by++) {
      const edge = state * this.#operations + by;
      if (!this.#done.has(edge)) edges.push(edge);
    }
    for (const edge of edges) this.#done.add(edge);
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

  /** What to do next, where the file is in a state of this number, or in none that is known; undefined where all is done. */
  next(at: number): Leg | undefined {
    const givenUp = this.#givenUp.get(at);
    if (givenUp !== undefined) this.#takeUp(at, givenUp);
    while (this.#next < this.#left.length && this.#left[this.#next] === 0) {
      this.#next += 1;
      this.#missed = 0;
    }
    if (this.#next === this.#left.length) return undefined;
    const way = this.#walked.length < LONGEST_WALK ? this.#onwards(at) : undefined;
    if (way !== undefined) return { fresh: false, operations: way };
    this.#walked = [];
    return { fresh: true, operations: [...this.#wayTo(this.#next), this.#leftAt(this.#next)] };
  }

  /** A way to the next state: a shortest one, and any other that gets deeper with every step where the kernel did not get there by it. */
  #wayTo(state: number): number[] {
    if (this.#missed === 0) return this.#ways.get(state) ?? this.#graph.pathTo(state);
    const way: number[] = [];
    for (let at = state; at !== 0;) {
      const ways = this.#waysInto(at);
      // A linear congruential generator (Numerical Recipes): the same walks each time.
      this.#random = (Math.imul(this.#random, 1664525) + 1013904223) >>> 0;
      const [before, by] = ways[Math.floor((this.#random / 2 ** 32) * ways.length)]!;
      way.push(by);
      at = before;
    }
    return way.toReversed();
  }

  /** The edges that lead to a state from those that are less deep. */
  #waysInto(state: number): (readonly [before: number, by: number])[] {
    const { depths, alphabet } = this.#graph;
    const ways: (readonly [number, number])[] = [];
    for (let before = 0; depths[before]! < depths[state]!; before++) {
      for (let by = 0; by < alphabet.length; by++) {
        if (this.#graph.target(before, by) === state) ways.push([before, by]);
      }
    }
    return ways;
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
