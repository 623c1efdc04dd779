/**
 * VariantRun: case after case on one variant's image, with checkpoints in between, and what they
 * come to.
 */
import { EnvironmentError } from "../case/failure.ts";
import type { Variant } from "../case/variant.ts";
import type { Divergence, EarlierCase } from "../finding/divergence.ts";
import { isWorse } from "../finding/severity.ts";
import { clampingsIn } from "../lockstep/clampings.ts";
import { note, noteClampings, noteOnDisk } from "../lockstep/statistics.ts";
import type { Statistics } from "../lockstep/statistics.ts";
import { behind } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Listener } from "../session/events.ts";
import { unlessBroken, worseFurtherOn } from "../session/further.ts";
import type { OnDiskFinding } from "../session/kept-files.ts";
import { Session } from "../session/session.ts";
import type {
  Performed,
  PerformOptions,
  SessionOptions,
  SessionSetup,
} from "../session/session.ts";
import { NOTHING_RUN } from "../stored/result.ts";
import type { RunCounts } from "../stored/result.ts";
import { CASES_PER_CHUNK, checkChunk, chunkSeed } from "./chunk.ts";
import type { CaseSource } from "./chunk.ts";

/** Of so many cases one is kept for a checkpoint. */
const KEEP_EVERY = 8;

/** Milliseconds that shrinking one divergence may take. */
export const SHRINK_MS = 30_000;

/** A divergence of a run. */
export interface RunFinding {
  /** Number of the case that showed it. */
  case: number;
  /** As it was seen first, and when that was, performance.now(). */
  first: Divergence;
  since: number;
  /** What became of it; undefined where it was not looked into. */
  shrunk?: { operations: Operation[]; divergence: Divergence };
}

/** The part of a chunk that is to be run. */
export interface ChunkPart {
  chunk: number;
  /** The first case, by its number in the chunk, else 0; and the one behind the last. */
  from?: number;
  end: number;
  /** None is begun but the first after that, on the clock of performance.now(). */
  until?: number;
  /** Milliseconds that shrinking may take; as long as is usual where that is absent. */
  shrinkMs?: number;
  /** Whether a divergence is worth looking into; each is where that is absent. */
  isNew?: (divergence: Divergence) => boolean;
}

/** How often a fresh image that ext4 does not mount is made again before that is a finding. */
const MOUNTS = 2;

/**
 * A session on a fresh image. Throws EnvironmentError where this machine cannot, or where ext4
 * mounts none of several ("ext4-refused").
 */
async function opened(
  variant: Variant,
  options: SessionOptions,
  setup: SessionSetup,
): Promise<Session> {
  for (let tried = 1; ; tried++) {
    try {
      return await Session.open(variant, options, setup);
    } catch (error) {
      if (!isMountRefused(error) || tried === MOUNTS) throw error;
    }
  }
}

/** Whether ext4 does not mount an image that was just made. */
export const isMountRefused = (error: unknown): error is EnvironmentError =>
  error instanceof EnvironmentError && error.reason === "ext4-refused";

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
  #session: Session;
  readonly #variant: Variant;
  readonly #options: SessionOptions;
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

  private constructor(
    session: Session,
    variant: Variant,
    options: SessionOptions,
    counted: boolean,
    tell: Listener,
  ) {
    this.#session = session;
    this.#variant = variant;
    this.#options = options;
    this.#tell = tell;
    const statistics: Statistics = {};
    this.statistics = counted ? statistics : undefined;
    this.#performing = counted
      ? {
          onStep: (operation, step, before) =>
            note(statistics, operation, this.session.model!.inode, step, before?.st_blocks),
        }
      : {};
    const none = Object.fromEntries(session.deviations.map(({ id }) => [id, 0]));
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
    const session = await opened(variant, options, { tell });
    return new VariantRun(session, variant, options, statistics, tell);
  }

  close(): void {
    this.session.close();
  }

  get session(): Session {
    return this.#session;
  }

  /**
   * Go on behind a divergence, on a fresh image: what it left on this one would be found again.
   * Throws EnvironmentError.
   */
  async renew(): Promise<void> {
    const { mounted, deviations } = this.session;
    this.session.close();
    const setup = { tell: this.#tell, mounted, deviations };
    this.#session = await opened(this.#variant, this.#options, setup);
    this.#history = [];
    this.#diverged = false;
    this.#tell({ type: "renewed" });
  }

  /** Run cases of a chunk up to the first that diverges, which is shrunk where it is new. */
  runChunk({ arbitrary, seed }: CaseSource, part: ChunkPart): RunFinding | undefined {
    const { chunk, from = 0, end, until = Infinity, isNew = () => true } = part;
    const { shrinkMs = SHRINK_MS } = part;
    let index = 0;
    let first: Divergence | undefined;
    let since = 0;
    let found: Shrinking | undefined;
    const fails = (drawn: Operation[]): boolean => {
      const operations = this.session.supported(drawn);
      if (found !== undefined) return this.#showsStill(operations, found);
      if (first !== undefined || (index > from && performance.now() >= until)) return false;
      const at = index++;
      if (at < from) return false;
      const keep = at % KEEP_EVERY === 0 && this.session.hasRoom;
      first = this.#runNumbered(operations, chunk * CASES_PER_CHUNK + at, keep, true);
      since = performance.now();
      if (first === undefined || !isNew(first)) return false;
      this.#tell({ type: "diverged" });
      found = this.#worstOf(operations, keep, first);
      return true;
    };
    const options = { arbitrary, seed: chunkSeed(seed, chunk), cases: end, shrinkMs };
    const shrunk = checkChunk(options, fails);
    if (first === undefined) return undefined;
    const number = chunk * CASES_PER_CHUNK + index - 1;
    if (shrunk === undefined || found === undefined) return { case: number, first, since };
    const { divergence, look = [] } = found;
    const operations = behind(this.session.supported(shrunk.operations), look);
    return { case: number, first, since, shrunk: { operations, divergence } };
  }

  /** Run a case that was not generated, number `number` of the run. Returns its divergence. */
  runListed(operations: Operation[], number: number): Divergence | undefined {
    const keep = number % KEEP_EVERY === 0 && this.session.hasRoom;
    return this.#runNumbered(this.session.supported(operations), number, keep, false);
  }

  /** Run one stored case. Returns its divergence. */
  replay(operations: readonly Operation[]): Divergence | undefined {
    return this.#runUnnumbered(operations, "case");
  }

  /** Run what another case may come down to. Returns its divergence. */
  attempt(operations: readonly Operation[]): Divergence | undefined {
    return this.#runUnnumbered(operations, "try");
  }

  #runUnnumbered(operations: readonly Operation[], as: "case" | "try"): Divergence | undefined {
    this.#tell({ type: "trying", operations });
    const performed = this.session.supported(operations);
    this.#remember(performed, false);
    return this.#perform(performed, {}, as).divergence;
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
    const { divergence, seen, handedOver } = this.#perform(all, { windows }, "case");
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

  /** Perform a case, or try what another comes down to, and count. */
  #perform(
    operations: readonly Operation[],
    how: PerformOptions = {},
    as: "case" | "try" = "try",
  ): Performed {
    const performed = this.session.perform(operations, { ...this.#performing, ...how });
    const { counts, statistics } = this;
    const { steps, guesses, transient, handedOver, divergence, seen } = performed;
    if (as === "case") counts.cases += 1;
    else counts.tries += 1;
    counts.operations += steps;
    counts.guesses += guesses;
    counts.transient += transient;
    if (handedOver !== undefined && as === "case") {
      const { reason } = handedOver;
      counts.handedOver[reason] = (counts.handedOver[reason] ?? 0) + 1;
    }
    if (statistics !== undefined) noteClampings(statistics, clampingsIn(operations, seen));
    if (divergence !== undefined) this.#diverged = true;
    else if (as === "case")
      this.#countDeviations(this.session.deviationsIn(operations, seen).map(({ id }) => id));
    return performed;
  }

  #countDeviations(ids: readonly string[]): void {
    const { deviations } = this.counts;
    for (const id of ids) deviations[id] = (deviations[id] ?? 0) + 1;
  }

  /** Check the kept files on disk; `cut`: now and then, else only as it unmounts. */
  async checkpoint(cut: boolean): Promise<OnDiskFinding[]> {
    const { session, counts } = this;
    if (session.waiting === 0) return [];
    counts.files += session.waiting;
    counts.checkpoints += 1;
    const { findings, deviated, files } = await session.checkpoint(cut);
    this.#countDeviations(deviated);
    for (const file of files) if (this.statistics) noteOnDisk(this.statistics, file);
    if (findings.every(({ finding }) => finding.kind === "silence")) this.#history = [];
    return findings;
  }
}
