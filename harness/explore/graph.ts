/**
 * The graph of a small file: every state that the model can come to (model/state.ts), and where
 * each operation of an alphabet leads. Breadth first, so a state's path is a shortest one.
 *
 * The model remembers more of a file than matters. So the states that were found are folded in the
 * end: two are one where their blocks are in the same states (`blockStates`) and no sequence of the
 * alphabet shows a difference.
 */
import { createHash } from "node:crypto";
import { createFileSystem, createInode } from "../../model/file-system.ts";
import { blockStates, copyFile, stateKey } from "../../model/state.ts";
import type { ModelConfig, Override } from "../../model/tables.ts";
import type { Inode } from "../../model/include/types.ts";
import type { Operation } from "../operations/operation.ts";
import { applied } from "./applied.ts";
import { coarsestPartition } from "./partition.ts";

/** The operation is not tried in this state. */
export const NOT_TRIED = -1;
/** The state lies deeper than was explored. */
export const UNKNOWN = -2;

/** States that are explored between two looks at the clock. */
const BETWEEN_LOOKS = 16;

/**
 * States before they are folded, times operations, of the largest graph. Measured: 3.5 KB a state
 * with 88 operations, so it takes some 4 GB; a file of three blocks of 4 KiB has 620,000 states.
 */
const MAX_TARGETS = 100_000_000;

/** What a graph is of. */
export interface GraphOptions {
  config: ModelConfig;
  /** Of deviations that the kernel under test is known to show. */
  overrides: readonly Override[];
  alphabet: readonly Operation[];
  /** Bytes that the file may have. */
  most: number;
  /** Operations of the longest path; every state where that is Infinity. */
  depth: number;
  /**
   * States before they are folded; where there are more, those that were not explored yet are left.
   */
  maxStates?: number;
}

/** What is known of a file of a few blocks, before anything is run. It grows by `grow`. */
export class Graph {
  readonly alphabet: readonly Operation[];
  readonly #given: GraphOptions;
  readonly #root: Inode;
  readonly #ids = new Map<string, number>();
  /** Edges: operations that were tried, over all states; known when it has grown. */
  edges = 0;
  /** Of each state, how many operations lead to it. */
  depths: number[] = [];
  /** Of each state but the first: the state before it on its path, and the operation there. */
  #before: number[] = [];
  #by: number[] = [];
  /** Of each state that was explored, where each operation leads. */
  #targets: Int32Array[] = [];
  /** Of each, a number for the states of its blocks and for what its operations return. */
  readonly #outputs: number[] = [];
  readonly #seen = new Map<string, number>();
  readonly #hash = createHash("sha256");
  /** States before they were folded. */
  unfolded = 0;
  /** States that were found last and not explored yet, in the order of their numbers. */
  #frontier: Inode[] = [];
  /** Of these, those that were explored by now. */
  #gone = 0;

  constructor(options: GraphOptions) {
    this.#given = options;
    this.alphabet = options.alphabet;
    this.#hash.update(JSON.stringify(this.alphabet));
    this.#root = createInode(createFileSystem(options.config, options.overrides));
    this.#root.i_sb.s_recordsDisk = false;
    this.#found(copyFile(this.#root), 0, -1, -1);
  }

  /**
   * Explore for some milliseconds; whether there is nothing left to explore, and the states are
   * folded.
   */
  grow(milliseconds = Infinity): boolean {
    const end = performance.now() + milliseconds;
    for (;;) {
      const state = this.explored;
      if (state === this.states || this.depths[state]! >= this.#given.depth || this.full) break;
      this.#explore(state);
      if (state % BETWEEN_LOOKS === 0 && performance.now() > end) return false;
    }
    if (this.unfolded === 0) this.#fold();
    return true;
  }

  /** Make one of the states that nothing tells apart. */
  #fold(): void {
    this.unfolded = this.states;
    const classes = coarsestPartition(this.#outputs, this.#targets, this.states);
    const [depths, before, bys, targets] = [this.depths, this.#before, this.#by, this.#targets];
    [this.depths, this.#before, this.#by, this.#targets] = [[], [], [], []];
    this.edges = 0;
    for (let state = 0; state < classes.length; state++) {
      if (classes[state] !== this.depths.length) continue;
      this.depths.push(depths[state]!);
      this.#before.push(before[state]! < 0 ? -1 : classes[before[state]!]!);
      this.#by.push(bys[state]!);
      const row = targets[state]?.map((target) => (target < 0 ? target : classes[target]!));
      if (row === undefined) continue;
      this.#targets.push(row);
      this.edges += row.reduce((sum, target) => (target === NOT_TRIED ? sum : sum + 1), 0);
    }
    for (const [key, state] of this.#ids) this.#ids.set(key, classes[state]!);
    this.#frontier = [];
    this.#outputs.length = 0;
    this.#seen.clear();
  }

  /** States that were found. */
  get states(): number {
    return this.depths.length;
  }

  /** States of which every operation was tried; the others come after them. */
  get explored(): number {
    return this.#targets.length;
  }

  /** There are more states than are explored, however deep. */
  get full(): boolean {
    const { maxStates = MAX_TARGETS / this.alphabet.length } = this.#given;
    return Math.max(this.states, this.unfolded) >= maxStates;
  }

  /** No operation leads anywhere else. */
  get closed(): boolean {
    return this.explored === this.states;
  }

  /** Operations of the longest path. */
  get deepest(): number {
    return this.depths.at(-1)!;
  }

  /**
   * Where operation number `by` leads from an explored state; NOT_TRIED, or UNKNOWN of a state that
   * was not.
   */
  target(state: number, by: number): number {
    return this.#targets[state]?.[by] ?? UNKNOWN;
  }

  /** The number of the state that a file is in; UNKNOWN where it was not found. */
  idOf(inode: Inode): number {
    return this.#ids.get(stateKey(inode)) ?? UNKNOWN;
  }

  /** Numbers of the operations of a shortest way from the empty file to a state. */
  pathTo(state: number): number[] {
    const path: number[] = [];
    for (let at = state; at !== 0; at = this.#before[at]!) path.push(this.#by[at]!);
    return path.toReversed();
  }

  /** The operations of a shortest way to a state. */
  operationsTo(state: number): Operation[] {
    return this.pathTo(state).map((by) => this.alphabet[by]!);
  }

  /** A file in the state, which its path made. */
  fileAt(state: number): Inode {
    return this.operationsTo(state).reduce(
      (inode, operation) => applied(inode, operation, this.#given.most, 0)!.inode,
      this.#root,
    );
  }

  /**
   * Tells graphs apart in which an operation, where it leads, or what it returns is not the same.
   */
  get digest(): string {
    return this.#hash.copy().digest("hex");
  }

  /** The keys of all states. */
  get keys(): IterableIterator<string> {
    return this.#ids.keys();
  }

  #found(inode: Inode, depth: number, before: number, by: number): number {
    const key = stateKey(inode);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.depths.length;
    this.#ids.set(key, id);
    this.depths.push(depth);
    this.#before.push(before);
    this.#by.push(by);
    this.#frontier.push(inode);
    return id;
  }

  /** Try every operation in a state. */
  #explore(state: number): void {
    const inode = this.#frontier[this.#gone++]!;
    // What was explored is not needed any more, and moving the rest for each would take longer than
    // exploring it.
    if (this.#gone * 2 > this.#frontier.length) {
      this.#frontier = this.#frontier.slice(this.#gone);
      this.#gone = 0;
    }
    const depth = this.depths[state]! + 1;
    let output = blockStates(inode);
    const targets = Int32Array.from(this.alphabet, (operation, by) => {
      const after = applied(inode, operation, this.#given.most, 0);
      if (after === undefined) return NOT_TRIED;
      output += ` ${after.result}`;
      return this.#found(after.inode, depth, state, by);
    });
    this.#targets.push(targets);
    this.#hash.update(output);
    this.#hash.update(targets);
    const number = this.#seen.get(output) ?? this.#seen.size;
    this.#seen.set(output, number);
    this.#outputs.push(number);
  }
}
