/**
 * What tells two tables of functions apart (model/tables.ts): every operation of an alphabet on two
 * files at once, one in each, breadth first from two empty ones, so that the first sequence which
 * shows a kind of difference is a shortest one. It takes no kernel.
 *
 * A pair is known by the keys of its two states (model/state.ts) and by the bytes that came from
 * somewhere else in the one than in the other. Two pairs with one key go on alike, in everything
 * that is compared:
 *
 * - but for bytes, by what a key is: each file does what its key says, whatever the other does;
 * - bytes only ever come from zero, or from the operation that writes them, or from elsewhere in
 *   the same file, and where from depends on the state alone. A pair is gone on from only where
 *   result, i_size and bytes agree, so what moves bytes did so in both, or shows at once. Every
 *   operation writes data of its own (its number is the tag), so a write that only one of the two
 *   files has shows as well. So whether two bytes agree after an operation follows from the states,
 *   and from whether they agreed before it: the key.
 *
 * Where the allocator's placement decides whether ext4 zeroes the rest of an unwritten extent
 * (model/ext4/zeroout.ts), both files take the model's guess.
 */
import { ModelBroken } from "../../model/include/assert.ts";
import { createFileSystem, createInode } from "../../model/file-system.ts";
import { copyFile, stateKey } from "../../model/state.ts";
import type { Inode } from "../../model/include/types.ts";
import type { Operation } from "../operations/operation.ts";
import { applied } from "../explore/applied.ts";
import { differencesLater, differencesNow, differentSources, KINDS, lookLater } from "./seen.ts";
import type { Kind, Shown } from "./seen.ts";
import { overridesOf } from "./side.ts";
import type { Side } from "./side.ts";

/** What is compared, and how far. */
export interface DifferencesOptions {
  a: Side;
  b: Side;
  /** Of blocks of the size that both have. */
  alphabet: readonly Operation[];
  /** Bytes that the files may have. */
  most: number;
  /** Operations of the longest sequence; all there are where that is Infinity. */
  depth: number;
  /**
   * Go on from a pair that differs, as long as result, i_size and bytes agree. What is found then
   * may follow from an earlier difference, but what is not found is nowhere.
   */
  goOn: boolean;
}

/** A difference, and a shortest sequence whose last operation shows it. */
export interface Difference extends Shown {
  operations: Operation[];
}

/** What a search came to. */
export interface Differences {
  /** One of each kind and pair of states, in the order of KINDS; the shorter before the longer. */
  found: Difference[];
  /** Kinds of which there was none; of a panic nobody would think. */
  alike: Kind[];
  /** Pairs of states. */
  pairs: number;
  /** Operations that were tried, over all pairs. */
  tried: number;
  /** Operations of the longest sequence. */
  deepest: number;
  /** No longer sequence shows anything else, up to where none is gone on from. */
  closed: boolean;
  /** As it was asked for. */
  goOn: boolean;
}

/** Two files after the same operations. */
interface Pair {
  a: Inode;
  b: Inode;
  path: readonly Operation[];
}

const KIND_ORDER = Object.keys(KINDS) as Kind[];

/**
 * What differs in memory alone is gone on from in any case: whatever follows from it shows by
 * itself.
 */
const INCIDENTAL: ReadonlySet<Kind> = new Set(["pages"]);

/** After these nothing is gone on from: what follows would be about other files. */
const DECISIVE: ReadonlySet<Kind> = new Set(["result", "i_size", "read"]);

function emptyFile(side: Side): Inode {
  const inode = createInode(createFileSystem(side.config, overridesOf(side)));
  inode.i_sb.s_recordsDisk = false;
  return copyFile(inode);
}

/** See above. */
function pairKey(a: Inode, b: Inode): string {
  const apart = differentSources(a.contents, b.contents).map(({ start, end }) => `${start}-${end}`);
  return [stateKey(a), stateKey(b), apart.join()].join("\n");
}

/**
 * What a side does, or the assertion that fails in it: a kernel with its deviations would have
 * failed one of its own.
 */
function outcomeOf<T>({ deviations }: Side, act: () => T): T | ModelBroken {
  try {
    return act();
  } catch (error) {
    if (error instanceof ModelBroken && deviations.length > 0) return error;
    throw error;
  }
}

const panicText = (outcome: unknown): string =>
  outcome instanceof ModelBroken ? outcome.message : "goes on";

/** The search, as it proceeds. */
export class Search {
  readonly #given: DifferencesOptions;
  readonly #known = new Set<string>();
  /**
   * Of these, pairs that are gone on from: where it came to by calls that differ, another way may
   * still go on.
   */
  readonly #goneOn = new Set<string>();
  readonly #found = new Map<string, Difference>();
  /** Pairs that are gone on from now, those that were, and what they led to. */
  #layer: Pair[];
  #gone = 0;
  #frontier: Pair[] = [];
  #tried = 0;
  #deepest = 0;

  constructor(options: DifferencesOptions) {
    this.#given = options;
    const [a, b] = [emptyFile(options.a), emptyFile(options.b)];
    this.#known.add(pairKey(a, b));
    this.#layer = [{ a, b, path: [] }];
  }

  /** Search for some milliseconds; whether there is nothing left to search. */
  advance(milliseconds: number): boolean {
    const { depth, alphabet } = this.#given;
    const end = performance.now() + milliseconds;
    while (this.#deepest < depth && this.#layer.length > 0) {
      while (this.#gone < this.#layer.length) {
        const pair = this.#layer[this.#gone++]!;
        for (const operation of alphabet) this.#try(pair, operation);
        if (performance.now() > end) return false;
      }
      this.#deepest += 1;
      this.#gone = 0;
      [this.#layer, this.#frontier] = [this.#frontier, []];
    }
    return true;
  }

  /** Pairs that were found by now. */
  get pairs(): number {
    return this.#known.size;
  }

  /** What it came to by now. */
  get result(): Differences {
    const { goOn } = this.#given;
    const found = [...this.#found.values()].toSorted(
      (x, y) =>
        KIND_ORDER.indexOf(x.kind) - KIND_ORDER.indexOf(y.kind) ||
        x.operations.length - y.operations.length,
    );
    return {
      found,
      alike: KIND_ORDER.filter(
        (kind) => kind !== "panic" && found.every((one) => one.kind !== kind),
      ),
      pairs: this.#known.size,
      tried: this.#tried,
      deepest: this.#deepest,
      closed: this.#layer.length === 0,
      goOn,
    };
  }

  /** Nothing where the operation is not tried in one of them. */
  #try(pair: Pair, operation: Operation): void {
    const { a: ofA, b: ofB, most, goOn } = this.#given;
    const number = pair.path.length + 1;
    const a = outcomeOf(ofA, () => applied(pair.a, operation, most, number));
    const b = outcomeOf(ofB, () => applied(pair.b, operation, most, number));
    if (a === undefined || b === undefined) return;
    this.#tried += 1;
    if (a instanceof ModelBroken || b instanceof ModelBroken) {
      if (a instanceof ModelBroken && b instanceof ModelBroken) return;
      const panic: Shown = { kind: "panic", states: "", a: panicText(a), b: panicText(b) };
      this.#show([panic], pair, operation);
      return;
    }
    const now = differencesNow(a, b);
    this.#show(now, pair, operation);
    const key = pairKey(a.inode, b.inode);
    if (!this.#known.has(key)) {
      // An assertion that fails in there fails in the operation as well, and is shown with that, if
      // the alphabet has it.
      const x = outcomeOf(ofA, () => lookLater(a.inode, most));
      const y = outcomeOf(ofB, () => lookLater(b.inode, most));
      const isBroken = x instanceof ModelBroken || y instanceof ModelBroken;
      if (!isBroken) this.#show(differencesLater(x, y), pair, operation);
    }
    this.#known.add(key);
    const ends = now.some(({ kind }) => (goOn ? DECISIVE.has(kind) : !INCIDENTAL.has(kind)));
    if (ends || this.#goneOn.has(key)) return;
    this.#goneOn.add(key);
    this.#frontier.push({ a: a.inode, b: b.inode, path: [...pair.path, operation] });
  }

  #show(shown: readonly Shown[], { path }: Pair, operation: Operation): void {
    for (const one of shown) {
      const name = `${one.kind} ${one.states}`;
      if (!this.#found.has(name)) {
        this.#found.set(name, { ...one, operations: [...path, operation] });
      }
    }
  }
}

/** What tells two tables apart. Sides with blocks of one size, and an alphabet of such blocks. */
export function differences(options: DifferencesOptions): Differences {
  const search = new Search(options);
  search.advance(Infinity);
  return search.result;
}
