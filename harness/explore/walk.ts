/**
 * Walks: in which order the edges of a graph are driven on a kernel, whose state cannot be copied.
 *
 * Layer by layer, so that what diverges first does so at the end of a shortest path: first the
 * edges of the empty file, then those of all states one operation away, and so on. Within a layer a
 * walk goes on from where an edge led to, as long as an edge that is left is no more than two
 * operations away; else a new file goes straight to the next state that has some. On such a way an
 * edge of the next layer may come before its time.
 *
 * No walk goes over an edge that has diverged: the states that lie behind such edges alone are left
 * out.
 */
import { EdgeSet } from "./driven.ts";
import { NOT_TRIED } from "./graph.ts";
import type { Graph } from "./graph.ts";
import { Ways } from "./ways.ts";

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

/** Operations on one file, at most: its blocks scatter, and what it was is kept to be reported. */
const LONGEST_WALK = 256;

/** How often a new file is sent to a state that it does not come to, each time by another way. */
const TRIES = 16;

/** How often the file may go elsewhere before a new one is taken. */
const MOST_STRAYS = 4;

/** Edges that need not be driven. */
export interface Before {
  driven: EdgeSet;
  /** Those that have diverged. */
  diverged: EdgeSet;
}

/**
 * Why a state was left out: the kernel, which places blocks elsewhere than the model has it, does
 * not come there; or only edges that diverge lead there.
 */
type LeftOut = "unreached" | "behind";

export class Walks {
  readonly #graph: Graph;
  readonly #operations: number;
  /** It was driven, or is not to be. */
  readonly #done: EdgeSet;
  /** Of all of them, these were driven, whether now or before. */
  readonly drivenEdges: EdgeSet;
  /** And these have diverged, which are not among them. */
  readonly divergedEdges: EdgeSet;
  readonly #ways: Ways;
  readonly #before: EdgeSet | undefined;
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
  before: number;
  /** Those that diverged. */
  diverged = 0;
  /** And those of states that were left out. */
  unreached = 0;
  behind = 0;
  /** Of each state that was left out, its edges that were left. */
  readonly #givenUp = new Map<number, { edges: number[]; why: LeftOut }>();
  /**
   * Of a state to which a file came otherwise than the graph has it, what had been done to that
   * file.
   */
  readonly #cameBy = new Map<number, number[]>();
  /** How often the way to the next state did not lead there. */
  #missed = 0;
  #random = 1;
  /** How often this file went elsewhere than the graph has it. */
  #strays = 0;

  /** The edges of the states for which `mine` holds, without those that were driven before. */
  constructor(graph: Graph, mine: (state: number) => boolean = () => true, before?: Before) {
    this.#graph = graph;
    this.#operations = graph.alphabet.length;
    const size = graph.explored * this.#operations;
    this.#done = new EdgeSet(size);
    this.drivenEdges = new EdgeSet(size);
    this.divergedEdges = new EdgeSet(size);
    this.#ways = new Ways(graph);
    this.#before = before?.driven;
    this.#left = new Int32Array(graph.explored);
    let edges = 0;
    for (let state = 0; state < graph.explored; state++) {
      const own = mine(state);
      for (let by = 0; by < this.#operations; by++) {
        const edge = state * this.#operations + by;
        this.#done.add(edge);
        const hasDiverged = before?.diverged.has(edge) === true;
        if (hasDiverged) this.#close(state, by);
        if (!own || graph.target(state, by) === NOT_TRIED) continue;
        edges += 1;
        if (hasDiverged) {
          this.diverged += 1;
        } else if (before?.driven.has(edge) === true) {
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
      this.#cameBy.set(state, [...this.#walked]);
      this.#missed = 0;
    }
    this.#walked.push(by);
    const edge = this.#settle(state, by);
    if (edge < 0) return;
    this.drivenEdges.add(edge);
    this.driven += 1;
  }

  /**
   * The edge diverged. It is not asked for again, and no walk goes over it. Where nobody knows
   * which edge it was, a new file has not come to the state that it was to go to.
   */
  hasDiverged(state: number, by: number): void {
    if (state < 0 || state >= this.#left.length) return this.missed();
    const givenUp = this.#givenUp.get(state);
    if (givenUp !== undefined) this.#takeUp(state, givenUp);
    const edge = state * this.#operations + by;
    const wasLeft = this.#settle(state, by) >= 0;
    if (this.drivenEdges.has(edge)) {
      this.drivenEdges.delete(edge);
      this.driven -= 1;
      if (this.#before?.has(edge) === true) this.before -= 1;
      this.diverged += 1;
    } else if (wasLeft) this.diverged += 1;
    this.#close(state, by);
  }

  #close(state: number, by: number): void {
    this.divergedEdges.add(state * this.#operations + by);
    this.#ways.close(state, by);
  }

  /** Whether the edge has diverged. */
  isClosed(state: number, by: number): boolean {
    return this.#ways.isClosed(state, by);
  }

  /** Numbers of the operations of a shortest way to a state to which one leads. */
  shortestTo(state: number): number[] {
    return this.#ways.leadTo(state) ? this.#ways.shortest(state) : this.#graph.pathTo(state);
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
    if (to >= 0 && !this.#cameBy.has(to)) this.#cameBy.set(to, [...this.#walked]);
  }

  /**
   * A new file did not come to the state that it was to go to. After some times that state is left
   * out, until something leads there.
   */
  missed(): void {
    this.#missed += 1;
    if (this.#missed >= TRIES) this.#giveUp(this.#next, "unreached");
  }

  #giveUp(state: number, why: LeftOut): void {
    const edges: number[] = [];
    for (let by = 0; by < this.#operations; by++) {
      const edge = state * this.#operations + by;
      if (this.#done.has(edge)) continue;
      this.#done.add(edge);
      edges.push(edge);
    }
    this.#givenUp.set(state, { edges, why });
    this[why] += edges.length;
    this.#left[state] = 0;
    this.#missed = 0;
  }

  /** The file has come to a state that was given up. */
  #takeUp(state: number, { edges, why }: { edges: readonly number[]; why: LeftOut }): void {
    for (const edge of edges) this.#done.delete(edge);
    this.#givenUp.delete(state);
    this.#cameBy.set(state, [...this.#walked]);
    this.#missed = 0;
    this[why] -= edges.length;
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
    while (this.#next < this.#left.length) {
      if (this.#isCutOff(this.#next)) this.#giveUp(this.#next, "behind");
      if (this.#left[this.#next]! > 0) break;
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

  /** Whether a state has edges that are left, and no way leads there, nor has a file got there. */
  #isCutOff(state: number): boolean {
    if (this.#left[state] === 0) return false;
    return !this.#ways.leadTo(state) && !this.#cameBy.has(state);
  }

  /**
   * A way to the next state: a shortest one, one by which a file did get there, or any other after
   * that one missed.
   */
  #wayTo(state: number): number[] {
    const cameBy = this.#cameBy.get(state);
    if (cameBy !== undefined && (this.#missed === 0 || !this.#ways.leadTo(state))) return cameBy;
    if (this.#missed === 0) return this.#ways.shortest(state);
    return this.#ways.any(state, () => this.#draw());
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

  /** Where an edge leads that has not diverged; negative where that is nowhere. */
  #open(state: number, by: number): number {
    const target = this.#graph.target(state, by);
    return target >= 0 && this.isClosed(state, by) ? NOT_TRIED : target;
  }

  /** The way to an edge that is left, if it is short. */
  #onwards(at: number): number[] | undefined {
    if (at < 0 || at >= this.#left.length) return undefined;
    if (this.#hasLeft(at)) return [this.#leftAt(at)];
    const limit = this.#graph.depths[this.#next]!;
    for (let first = 0; first < this.#operations; first++) {
      const target = this.#open(at, first);
      if (this.#hasLeft(target)) return [first, this.#leftAt(target)];
    }
    // No longer than the way from the empty file.
    if (limit < 2) return undefined;
    for (let first = 0; first < this.#operations; first++) {
      const middle = this.#open(at, first);
      if (middle < 0 || middle === at || middle >= this.#left.length) continue;
      for (let second = 0; second < this.#operations; second++) {
        const target = this.#open(middle, second);
        if (this.#hasLeft(target)) return [first, second, this.#leftAt(target)];
      }
    }
    return undefined;
  }
}
