/**
 * VariantJob: a worker's share of what is to be done with a variant. What is found is confirmed on
 * a fresh image, shrunk, named and told.
 */
import { EnvironmentError } from "../case/failure.ts";
import type { Divergence } from "../finding/divergence.ts";
import { operations as operationsArbitrary } from "../generation/operations.ts";
import type { Operation } from "../operations/operation.ts";
import { onDiskDivergence } from "../session/kept-files.ts";
import type { OnDiskFinding } from "../session/kept-files.ts";
import type { Assignment, Finished } from "../workers/messages.ts";
import { identityOf } from "../finding/identity.ts";
import { CASES_PER_CHUNK } from "./chunk.ts";
import { Confirmation } from "./confirm.ts";
import { Findings, SAMPLE_LIMITS, WHOLE_LIMITS } from "./findings.ts";
import { leastSequence } from "./sequence.ts";
import { shrinkCase } from "./shrink.ts";
import type { Teller } from "./teller.ts";
import { SHRINK_MS } from "./variant-run.ts";
import type { RunFinding, VariantRun } from "./variant-run.ts";

/** Of so many checkpoints one looks at what a power cut would leave, which costs as much again. */
const CUT_EVERY = 8;

/**
 * Milliseconds that finding out about a divergence may take where the time is up: a run that has
 * shown something ends in time, and says of the rest what it can.
 */
const LATE_MS = 2000;

/** Milliseconds for shrinking what only a checkpoint shows: every attempt takes a fresh image. */
const SHRINK_ON_DISK_MS = 60_000;

/** What a checkpoint shows: what a fresh image shows too, or does not. */
type Shown = "confirmed" | "unconfirmed" | undefined;

/** What a fresh image says of a divergence, where not all is as usual. */
interface Confirmed {
  confirmed?: boolean;
  named?: string[] | undefined;
  breaks?: string | undefined;
  passed?: string[] | undefined;
}

export class VariantJob {
  readonly run: VariantRun;
  readonly assignment: Assignment;
  readonly teller: Teller;
  /** When no further case is begun, on the clock of performance.now(). */
  readonly until: number;
  /** Milliseconds of the last checkpoint. */
  ending = 0;
  #confirmation: Confirmation;
  readonly #findings: Findings;

  constructor(run: VariantRun, assignment: Assignment, teller: Teller, until: number) {
    this.run = run;
    this.assignment = assignment;
    this.teller = teller;
    this.until = until;
    const tell = teller.hear.bind(teller);
    this.#confirmation = new Confirmation(run.session.variant, assignment, { tell });
    const isWhole = assignment.work.kind === "explore";
    this.#findings = new Findings(assignment.accepted, isWhole ? WHOLE_LIMITS : SAMPLE_LIMITS);
  }

  /**
   * From now on the contract alone judges, what is confirmed too: what the kernel does otherwise
   * than the model is known. `why` is for the report.
   */
  judgeByContract(why: string): void {
    const { run, assignment, teller } = this;
    run.judgeByContract(why);
    const { variant, mounted } = run.session;
    const tell = teller.hear.bind(teller);
    this.#confirmation = new Confirmation(variant, assignment, { tell, mounted });
    teller.tell({ type: "promised", promised: why });
  }

  get isTimeUp(): boolean {
    return performance.now() >= this.until;
  }

  /**
   * How many of so many milliseconds may go into a divergence: all of them for the first, for
   * another as many as are left of the variant's time.
   */
  limit(ms: number): number {
    if (!this.#findings.anything) return ms;
    return Math.min(ms, Math.max(LATE_MS, this.until - performance.now()));
  }

  /** Whether a divergence was found that is not accepted. */
  get hasFound(): boolean {
    return this.#findings.any;
  }

  /** Whether enough was found for the variant to be left, of what was asked for. */
  get hasEnough(): boolean {
    return this.#findings.enough || (this.assignment.first && this.hasFound);
  }

  /** Whether a divergence is to be looked into, and is not taken for one that was. */
  readonly isNew = (divergence: Divergence): boolean =>
    this.#findings.takenFor(divergence) === undefined;

  /** A case has diverged; what comes next is performed on a fresh image, if anything does. */
  async handleAndRenew(finding: RunFinding): Promise<void> {
    await this.handle(finding);
    if (this.hasEnough) return;
    await this.#lookBack(finding.case);
    if (!this.hasEnough) await this.run.renew();
  }

  /**
   * Look at the files of earlier cases that wait, before the image is given up with them. Only what
   * one of them shows by itself counts: the rest may be what the divergence has left.
   */
  async #lookBack(number: number): Promise<void> {
    if (this.isTimeUp) return;
    const chunk = Math.floor(number / CASES_PER_CHUNK);
    this.teller.tell({ type: "checkpoint", done: false });
    for (const finding of await this.#waiting()) {
      if ((await this.#confirms(chunk, finding)) !== undefined) break;
    }
    this.teller.tell({ type: "checkpoint", done: true });
  }

  /** What the waiting files show; nothing where the divergence has left no file system for that. */
  async #waiting(): Promise<OnDiskFinding[]> {
    try {
      return await this.run.checkpoint(false);
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      return [];
    }
  }

  /** The same, on the image as it is. */
  async handle({ case: number, first, since, shrunk }: RunFinding): Promise<void> {
    if (shrunk === undefined) return void this.#met(this.#findings.takenFor(first)!);
    const identity = await this.#report(number, shrunk);
    this.#findings.lookedInto(first, identity);
    this.#findings.spent(performance.now() - since, identity);
  }

  /** What a case that was not generated has shown, shrunk here where it is to be looked into. */
  async shrinkHere(
    number: number,
    operations: Operation[],
    first: Divergence,
  ): Promise<RunFinding> {
    const since = performance.now();
    if (!this.isNew(first)) return { case: number, first, since };
    this.teller.tell({ type: "diverged" });
    const attempt = (tried: Operation[]): Promise<Divergence | undefined> =>
      Promise.resolve(this.run.attempt(tried));
    const divergence = await this.#shrunk(operations, first, attempt, this.limit(SHRINK_MS));
    return {
      case: number,
      first,
      since,
      shrunk: { divergence, operations: divergence.operations },
    };
  }

  /** What a case has shown that is as short as it gets. */
  asShrunk(number: number, first: Divergence): RunFinding {
    this.teller.tell({ type: "diverged" });
    const shrunk = { divergence: first, operations: first.operations };
    return { case: number, first, since: performance.now(), shrunk };
  }

  /** The variant, begun at `started` on the clock of performance.now(), has come to its end. */
  finished(started: number, more: Pick<Finished, "explored" | "timeUp"> = {}): void {
    const enough = this.#findings.enough ? { foundEnough: true } : {};
    this.teller.finished(this.run, started, { ...more, ...enough });
  }

  #met(identity: string): string {
    this.#findings.met(identity);
    this.teller.tell({ type: "met", identity });
    return identity;
  }

  #shrunk(
    operations: readonly Operation[],
    divergence: Divergence,
    attempt: (tried: Operation[]) => Promise<Divergence | undefined>,
    limitMs: number,
  ): Promise<Divergence> {
    const { variant } = this.run.session;
    const arbitrary = operationsArbitrary({ variant, maxLength: operations.length });
    return shrinkCase([...operations], divergence, arbitrary, attempt, limitMs);
  }

  /** Tell what a fresh image shows of what a case has shown; the identity of that. */
  async #report(
    number: number,
    { divergence, operations }: NonNullable<RunFinding["shrunk"]>,
  ): Promise<string> {
    const identity = identityOf(divergence);
    if (this.#findings.isKnown(identity)) return this.#met(identity);
    const again = await this.#confirmation.run(operations);
    if (again !== undefined) {
      const named = await this.#confirmation.named(operations);
      const breaks = await this.#confirmation.brokenPromise(again);
      const passed = await this.#confirmation.passedBy(again);
      return this.#found(number, again, { named, breaks, passed });
    }
    const inSequence = await this.#leastSequence();
    const confirmed = inSequence !== undefined;
    return this.#found(number, inSequence ?? divergence, { confirmed });
  }

  /** Look at the kept files; where that finds something, on a fresh image after that. */
  async look(chunk: number): Promise<void> {
    const shown = await this.checkpoint(chunk);
    if (shown !== undefined && !this.hasEnough) await this.run.renew();
  }

  /**
   * Whether the kept files are not on disk as they must be, and whether a fresh image shows that
   * too. The last one always looks at what a power cut would leave.
   */
  async checkpoint(chunk: number, last = false): Promise<Shown> {
    const { run, teller } = this;
    teller.tell({ type: "checkpoint", done: false });
    const cut = last || (run.counts.checkpoints + 1) % CUT_EVERY === 0;
    const findings = await run.checkpoint(cut);
    teller.tell({ type: "checkpoint", done: true });
    const [first] = findings.filter(({ finding }) => finding.kind !== "silence");
    if (first !== undefined) {
      teller.tell({ type: "diverged" });
      const since = performance.now();
      const { identity, confirmed } = await this.#reportOnDisk(chunk, first);
      this.#findings.spent(performance.now() - since, identity);
      return confirmed ? "confirmed" : "unconfirmed";
    }
    for (const silence of findings) {
      if ((await this.#confirms(chunk, silence)) !== undefined) return "confirmed";
    }
    run.counts.transient += findings.length;
    return undefined;
  }

  /**
   * Find the suspect that shows it by itself, and shrink that; the identity of what it shows,
   * undefined where there is none.
   *
   * What is only silent, and warns on a fresh image, is no finding: pages can be reclaimed between
   * the last look at them and the end of the file system. Traced (6.18.44): DAMON does so every
   * five seconds; of 700 files that waited six seconds there 7 were silent, each of which had its
   * page deleted by kdamond meanwhile; of 800 that waited before the look none was.
   */
  async #confirms(chunk: number, { suspects }: OnDiskFinding): Promise<string | undefined> {
    const attempt = (tried: readonly Operation[]): Promise<Divergence | undefined> =>
      this.#confirmation.run(tried);
    for (const suspect of suspects) {
      const divergence = await attempt(suspect);
      if (divergence === undefined) continue;
      const least = await this.#shrunk(suspect, divergence, attempt, this.limit(SHRINK_ON_DISK_MS));
      return this.#found(chunk * CASES_PER_CHUNK, least);
    }
    return undefined;
  }

  /** As `#confirms`; what no suspect shows by itself is reported of all of them. */
  async #reportOnDisk(
    chunk: number,
    found: OnDiskFinding,
  ): Promise<{ identity: string; confirmed: boolean }> {
    const alone = await this.#confirms(chunk, found);
    if (alone !== undefined) return { identity: alone, confirmed: true };
    const { finding, suspects } = found;
    const message = `${finding.message} (after ${suspects.length} cases; none shows it alone)`;
    const all = onDiskDivergence(this.teller.variant, suspects.flat(), { ...finding, message });
    const inSequence = await this.#leastSequence();
    const confirmed = inSequence !== undefined;
    const number = chunk * CASES_PER_CHUNK;
    return { identity: this.#found(number, inSequence ?? all, { confirmed }), confirmed };
  }

  /**
   * What a fresh image shows when all cases are run on it that were here, shrunk; undefined where
   * that is nothing.
   */
  #leastSequence(): Promise<Divergence | undefined> {
    const { session, history } = this.run;
    const maxLength = Math.max(...history.map(({ operations }) => operations.length));
    return leastSequence(history, {
      attempt: (operations, before) => this.#confirmation.run(operations, before),
      arbitrary: operationsArbitrary({ variant: session.variant, maxLength }),
      limitMs: this.limit(SHRINK_ON_DISK_MS),
    });
  }

  /** Tell of it, or that it has shown once more; its identity. */
  #found(
    number: number,
    divergence: Divergence,
    { confirmed = true, named = [], breaks, passed }: Confirmed = {},
  ): string {
    const identity = identityOf(divergence);
    if (this.#findings.isKnown(identity)) return this.#met(identity);
    this.#findings.met(identity, confirmed);
    const also = { ...(breaks !== undefined && { breaks }), ...(passed && { passed }) };
    this.teller.found({ case: number, divergence, confirmed, named, ...also });
    return identity;
  }
}
