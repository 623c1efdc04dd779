/**
 * Explorer: drives the edges of a graph on a kernel, in lockstep with the model.
 */
import type { Divergence } from "../finding/divergence.ts";
import { Lockstep } from "../lockstep/lockstep.ts";
import type { ModelSubject } from "../lockstep/model-subject.ts";
import type { Operation } from "../operations/operation.ts";
import { LookFailed } from "../lockstep/subject.ts";
import type { Listener } from "../session/events.ts";
import type { Session } from "../session/session.ts";
import type { Explored } from "./explored.ts";
import { UNKNOWN } from "./graph.ts";
import type { Graph } from "./graph.ts";
import type { Leg, Walks } from "./walk.ts";

/** Of so many walks the file of one is kept for a checkpoint. */
const KEEP_EVERY = 32;

/** Operations between two looks at the clock. */
const BETWEEN_LOOKS = 64;

/** Where edges are driven, and the model of what is there. */
export interface Place {
  session: Pick<
    Session,
    "executor" | "lockstep" | "keep" | "hasRoom" | "waiting" | "checkpointDue" | "complaint"
  >;
  model: ModelSubject;
}

export interface ExplorerOptions {
  graph: Graph;
  walks: Walks;
  place: Place;
  /** Hears before each leg of a walk, and when the file of one stays for the next checkpoint. */
  tell: Listener;
}

/** An edge whose end is not as it must be. */
export interface ExploredDivergence {
  /** Number of its walk. */
  walk: number;
  divergence: Divergence;
  /** All that was done to the file. */
  walked: Operation[];
  /** A shortest way to the state in which it began, and the operation. */
  shortest: Operation[];
}

export class Explorer {
  readonly #given: Omit<ExplorerOptions, "place">;
  #place: Place;
  #lockstep: Lockstep;
  /** Where edges were driven before. */
  #transientBefore = 0;
  /** Of the file under test; grows. */
  #walked: Operation[] = [];
  /** The state that it is in. */
  #at = UNKNOWN;
  #walkNumber = 0;
  #operations = 0;
  #elsewhere = 0;
  #outside = 0;
  #seconds = 0;
  /** All edges were driven. */
  done = false;

  constructor({ place, ...given }: ExplorerOptions) {
    this.#given = given;
    this.#place = place;
    this.#lockstep = this.#lockstepOn(place);
  }

  #lockstepOn({ model, session: { executor, lockstep } }: Place): Lockstep {
    executor.wholeLooks = true;
    return new Lockstep(model, executor, lockstep);
  }

  /** Go on elsewhere, with a new file: what a divergence has left would be found again. */
  goOn(place: Place): void {
    this.#walked = [];
    this.#at = UNKNOWN;
    this.#transientBefore += this.#lockstep.transient;
    this.#place = place;
    this.#lockstep = this.#lockstepOn(place);
  }

  get explored(): Explored {
    const { graph, walks } = this.#given;
    const { states, unfolded, edges, deepest, closed, full } = graph;
    return {
      states,
      unfolded,
      edges,
      deepest,
      closed,
      full: full && !closed,
      own: walks.edges,
      driven: walks.driven,
      before: walks.before,
      diverged: walks.diverged,
      behind: walks.behind,
      unreached: walks.unreached,
      operations: this.#operations,
      elsewhere: this.#elsewhere,
      outside: this.#outside,
      transient: this.#transientBefore + this.#lockstep.transient,
      seconds: this.#seconds,
    };
  }

  /**
   * Drive edges for some milliseconds, until the next file is to be begun, or up to one that
   * diverges. Behind that `goOn` comes first.
   */
  drive(milliseconds: number): ExploredDivergence | undefined {
    const { walks } = this.#given;
    const { session } = this.#place;
    const started = performance.now();
    let found: ExploredDivergence | undefined;
    let next = this.#operations + BETWEEN_LOOKS;
    while (found === undefined && !this.done) {
      const leg = walks.next(this.#at);
      const over = leg === undefined || leg.goal !== undefined;
      if (over && this.#walked.length > 0) found = this.#endWalk();
      if (found !== undefined) break;
      this.done = leg === undefined;
      if (leg === undefined) break;
      // A new file may take a new mount, and with it what unmounting says of the kept ones. Where
      // none waits, it loses nothing.
      if (over && session.waiting > 0 && session.checkpointDue) break;
      if (over && this.#operations >= next) {
        if (performance.now() - started >= milliseconds) break;
        next = this.#operations + BETWEEN_LOOKS;
      }
      found = this.#go(leg);
    }
    this.#seconds += (performance.now() - started) / 1000;
    return found;
  }

  #go({ goal, operations }: Leg): ExploredDivergence | undefined {
    const { graph, walks, tell } = this.#given;
    const fresh = goal !== undefined;
    tell({ type: "walking", fresh, operations: operations.map((by) => graph.alphabet[by]!) });
    if (fresh) {
      this.#walked = [];
      this.#walkNumber += 1;
      this.#lockstep.begin(this.#walked);
      this.#at = 0;
    }
    for (const [index, by] of operations.entries()) {
      const from = this.#at;
      const isElsewhere = index === operations.length - 1 && from !== goal;
      if (fresh && (isElsewhere || walks.isClosed(from, by))) {
        walks.missed();
        break;
      }
      const found = this.#edge(from, by);
      if (found !== undefined) return found;
      if (graph.target(from, by) === this.#at) continue;
      this.#elsewhere += 1;
      walks.strayed(this.#at);
      if (!fresh) break;
    }
    return undefined;
  }

  /** Drive one edge; whether it was one that was left does not matter. */
  #edge(from: number, by: number): ExploredDivergence | undefined {
    const { graph, walks } = this.#given;
    const operation = graph.alphabet[by]!;
    const { transient } = this.#lockstep;
    const divergence = this.#step(operation, false);
    if (divergence !== undefined) {
      const way = from < 0 ? [] : [...walks.shortestTo(from), by];
      walks.hasDiverged(from, by);
      return this.#found(
        divergence,
        way.map((one) => graph.alphabet[one]!),
      );
    }
    // The model does not know where the file is: to be driven again, on a new one.
    if (this.#lockstep.handedOver !== undefined) {
      this.#at = UNKNOWN;
      return undefined;
    }
    // Begun anew, with blocks placed elsewhere, the file may have come here from another state.
    walks.drove(this.#lockstep.transient === transient ? from : UNKNOWN, by);
    this.#at = graph.idOf(this.#place.model.inode);
    if (this.#at < 0) this.#outside += 1;
    return undefined;
  }

  #step(operation: Operation, last: boolean): Divergence | undefined {
    this.#walked.push(operation);
    this.#operations += 1;
    try {
      return this.#lockstep.step(operation, last);
    } catch (error) {
      if (!(error instanceof LookFailed)) throw error;
      return this.#complained(error.message);
    }
  }

  /** The kernel said so of the walk. */
  #complained(message: string): Divergence {
    const { variant } = this.#place.session.lockstep;
    const operations = [...this.#walked];
    return { variant, step: operations.length - 1, operations, kind: "kernel-log", message };
  }

  /** The walk ends there: the state that the kernel is in is not the model's. */
  #found(divergence: Divergence, shortest: Operation[]): ExploredDivergence {
    const walked = this.#walked;
    this.#walked = [];
    this.#at = UNKNOWN;
    return { walk: this.#walkNumber, divergence, walked, shortest };
  }

  /**
   * The file is not needed any more: what the kernel has said of it, and now and then a look at the
   * disk later.
   */
  #endWalk(): ExploredDivergence | undefined {
    const { tell } = this.#given;
    const { session } = this.#place;
    const isKept = this.#walkNumber % KEEP_EVERY === 0;
    let divergence = isKept ? this.#step({ op: "fsync" }, true) : undefined;
    const said = session.complaint();
    if (said !== undefined) divergence ??= this.#complained(said);
    if (divergence !== undefined) return this.#found(divergence, []);
    if (isKept && session.hasRoom) {
      tell({ type: "kept", operations: this.#walked });
      session.keep(this.#walked, this.#lockstep.handedOver);
    }
    this.#walked = [];
    this.#at = UNKNOWN;
    return undefined;
  }
}
