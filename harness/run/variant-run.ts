/**
 * VariantRun: case after case on one variant's image, with checkpoints in between, and what they
 * come to.
 */
import type { Variant } from "../case/variant.ts";
import type { Divergence, EarlierCase } from "../finding/divergence.ts";
import { isWorse } from "../finding/severity.ts";
import { clampingsIn } from "../lockstep/clampings.ts";
import { note, noteClampings } from "../lockstep/statistics.ts";
import type { Statistics } from "../lockstep/statistics.ts";
import { behind } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Listener } from "../session/events.ts";
import { unlessBroken, worseFurtherOn } from "../session/further.ts";
import type { OnDiskFinding } from "../session/kept-files.ts";
import { Session } from "../session/session.ts";
import type { Performed, PerformOptions, SessionOptions } from "../session/session.ts";
import { NOTHING_RUN } from "../stored/result.ts";
import type { RunCounts } from "../stored/result.ts";
import { CASES_PER_CHUNK, checkChunk, chunkSeed } from "./chunk.ts";
import type { CaseSource } from "./chunk.ts";

/** Of so many cases one is kept for a checkpoint. */
const KEEP_EVERY = 8;

/** Milliseconds that shrinking one divergence may take. */
const SHRINK_MS = 30_000;

/** A divergence of a run, shrunk. */
export interface RunFinding {
  /** Number of the case that showed it first. */
  case: number;
  operations: Operation[];
  divergence: Divergence;
}

/** What a case is to be shrunk for. */
interface Shrinking {
  divergence: Divergence;
  /** What is looked at after its end, for its data alone; undefined where all counts. */
  look: readonly Operation[] | undefined;
}

/** A case as it is where its file is kept. */
const synced = (operations: readonly Operation[]): Operation[] =>
  behind(operations, [{ op: "fsync" }]);

export class VariantRun {
  readonly session: Session;
  readonly counts: RunCounts;
  /** What operations met; undefined where nobody asks. */
  readonly statistics: Statistics | undefined;
  readonly #tell: Listener;
  readonly #performing: PerformOptions;
  /**
   * Cases that were performed since the last checkpoint that found nothing, up to the first one
   * that diverged.
   */
  #history: EarlierCase[] = [];
  #diverged = false;

  private constructor(session: Session, counted: boolean, tell: Listener) {
    this.session = session;
    this.#tell = tell;
    const { model, deviations } = session;
    const statistics: Statistics = {};
    this.statistics = counted ? statistics : undefined;
    this.#performing =
      counted && model !== undefined
        ? { onStep: (operation) => note(statistics, operation, model.inode) }
        : {};
    const none = Object.fromEntries(deviations.map(({ id }) => [id, 0]));
    this.counts = { ...NOTHING_RUN, deviations: none, handedOver: {} };
  }

  /**
   * A session on the variant's image, to run cases there, and with `statistics` to count what
   * operations meet. `tell` hears of them. Throws EnvironmentError where this machine cannot.
   */
  static async open(
    variant: Variant,
    { statistics = false, ...options }: SessionOptions & { statistics?: boolean },
    tell: Listener = () => {},
  ): Promise<VariantRun> {
    return new VariantRun(await Session.open(variant, options, { tell }), statistics, tell);
  }

  close(): void {
    this.session.close();
  }

  /**
   * Run the cases of a chunk, `cases` of them; none is begun but the first after `until`, on the
   * clock of performance.now(). Returns the first divergence, shrunk.
   */
  runChunk(
    { arbitrary, seed }: CaseSource,
    chunk: number,
    cases: number,
    until = Infinity,
  ): RunFinding | undefined {
    let index = 0;
    let found: Shrinking | undefined;
    const fails = (drawn: Operation[]): boolean => {
      const operations = this.session.supported(drawn);
      if (found !== undefined) return this.#showsStill(operations, found);
      if (index > 0 && performance.now() >= until) return false;
      const keep = index % KEEP_EVERY === 0 && this.session.hasRoom;
      const number = chunk * CASES_PER_CHUNK + index++;
      const divergence = this.#runNumbered(operations, number, keep, true);
      if (divergence === undefined) return false;
      this.#tell({ type: "diverged" });
      found = this.#worstOf(operations, keep, divergence);
      return true;
    };
    const options = { arbitrary, seed: chunkSeed(seed, chunk), cases, shrinkMs: SHRINK_MS };
    const shrunk = checkChunk(options, fails);
    if (shrunk === undefined || found === undefined) return undefined;
    const { divergence, look = [] } = found;
    const operations = behind(this.session.supported(shrunk.operations), look);
    return { case: chunk * CASES_PER_CHUNK + shrunk.index, operations, divergence };
  }

  /** Run a case that was not generated, number `number` of the run. Returns its divergence. */
  runListed(operations: Operation[], number: number): Divergence | undefined {
    const keep = number % KEEP_EVERY === 0 && this.session.hasRoom;
    return this.#runNumbered(this.session.supported(operations), number, keep, false);
  }

  /** Run one stored case. Returns its divergence. */
  replay(operations: readonly Operation[]): Divergence | undefined {
    this.#tell({ type: "trying", operations });
    const performed = this.session.supported(operations);
    this.#remember(performed, false);
    return this.#perform(performed).divergence;
  }

  /** Go on behind a divergence, by the contract alone; `why` is for the report. */
  judgeByContract(why: string): void {
    this.session.judgeByContract(why);
    this.#diverged = false;
  }

  /**
   * The cases in which the cause may be of what was found: all since the last checkpoint that found
   * nothing, the one that diverged, if one did, as the last. Not what an exploration drove.
   */
  get history(): readonly EarlierCase[] {
    return this.#history;
  }

  #runNumbered(
    operations: Operation[],
    number: number,
    keep: boolean,
    windows: boolean,
  ): Divergence | undefined {
    this.#tell({ type: "case", case: number, kept: keep });
    this.#remember(operations, keep);
    const all = keep ? synced(operations) : operations;
    const { divergence, seen, handedOver } = this.#perform(all, { windows });
    if (divergence !== undefined) return divergence;
    const last = seen.at(-1);
    if (last !== undefined) this.#tell({ type: "conforms", case: number, seen: last });
    if (keep) this.session.keep(all, handedOver);
    return undefined;
  }

  /** What is tried after the first divergence is not part of it. */
  #remember(operations: Operation[], keep: boolean): void {
    if (this.#diverged || operations.length === 0) return;
    this.#history.push(keep ? { operations: synced(operations), kept: true } : { operations });
  }

  /**
   * At which step a divergence begins may only show where every look is at the whole file; and data
   * may be lost or shown further on in a case whose first symptom is small: then that is what is
   * shrunk.
   */
  #worstOf(operations: Operation[], keep: boolean, found: Divergence): Shrinking {
    const all = keep ? synced(operations) : operations;
    const first = unlessBroken(() => this.#perform(all).divergence) ?? found;
    const onlyData = { onlyData: true } as const;
    const worse = worseFurtherOn(
      this.session,
      operations,
      first,
      (further) => this.#perform(further, onlyData).divergence,
    );
    return { divergence: worse?.divergence ?? first, look: worse?.look };
  }

  /**
   * Whether a case that is simpler shows as much as `found`, which is what it shows then. Data that
   * is lost is not to become a page that is counted wrong.
   */
  #showsStill(operations: Operation[], found: Shrinking): boolean {
    this.#tell({ type: "trying", operations });
    const { look } = found;
    const { divergence } =
      look === undefined
        ? this.#perform(operations)
        : this.#perform(behind(operations, look), { onlyData: true });
    if (divergence === undefined || isWorse(found.divergence, divergence)) return false;
    found.divergence = divergence;
    return true;
  }

  /** Perform a case, and count. */
  #perform(operations: readonly Operation[], how: PerformOptions = {}): Performed {
    const performed = this.session.perform(operations, { ...this.#performing, ...how });
    const { counts, statistics } = this;
    const { steps, guesses, transient, handedOver, divergence, seen } = performed;
    counts.cases += 1;
    counts.operations += steps;
    counts.guesses += guesses;
    counts.transient += transient;
    if (handedOver !== undefined) {
      const { reason } = handedOver;
      counts.handedOver[reason] = (counts.handedOver[reason] ?? 0) + 1;
    }
    if (statistics !== undefined) noteClampings(statistics, clampingsIn(operations, seen));
    if (divergence !== undefined) this.#diverged = true;
    else this.#countDeviations(this.session.deviationsIn(operations, seen).map(({ id }) => id));
    return performed;
  }

  #countDeviations(ids: readonly string[]): void {
    for (const id of ids) this.counts.deviations[id]! += 1;
  }

  /** Check the kept files on disk; `cut`: now and then, else only as it unmounts. */
  async checkpoint(cut: boolean): Promise<OnDiskFinding[]> {
    const { session, counts } = this;
    if (session.waiting === 0) return [];
    counts.files += session.waiting;
    counts.checkpoints += 1;
    const { findings, deviated } = await session.checkpoint(cut);
    this.#countDeviations(deviated);
    if (findings.every(({ finding }) => finding.kind === "silence")) this.#history = [];
    return findings;
  }
}
