/**
 * VariantJob: a worker's share of what is to be done with a variant. What is found is confirmed on
 * a fresh image, shrunk, named and told.
 */
import type { Divergence } from "../finding/divergence.ts";
import { operations as operationsArbitrary } from "../generation/operations.ts";
import type { Operation } from "../operations/operation.ts";
import { onDiskDivergence } from "../session/kept-files.ts";
import type { OnDiskFinding } from "../session/kept-files.ts";
import type { Assignment } from "../workers/messages.ts";
import { CASES_PER_CHUNK } from "./chunk.ts";
import { Confirmation } from "./confirm.ts";
import { leastSequence } from "./sequence.ts";
import { shrinkCase } from "./shrink.ts";
import type { Teller } from "./teller.ts";
import type { VariantRun } from "./variant-run.ts";

/** Of so many checkpoints one looks at what a power cut would leave, which costs as much again. */
const CUT_EVERY = 8;

/** Milliseconds for shrinking a case that was not generated. */
const SHRINK_MS = 30_000;

/** Milliseconds for shrinking what only a checkpoint shows: every attempt takes a fresh image. */
const SHRINK_ON_DISK_MS = 60_000;

/** What a checkpoint shows: what a fresh image shows too, or does not. */
type Shown = "confirmed" | "unconfirmed" | undefined;

export class VariantJob {
  readonly run: VariantRun;
  readonly assignment: Assignment;
  readonly teller: Teller;
  /** When no further case is begun, on the clock of performance.now(). */
  readonly until: number;
  /** Milliseconds of the last checkpoint. */
  ending = 0;
  #confirmation: Confirmation;

  constructor(run: VariantRun, assignment: Assignment, teller: Teller, until: number) {
    this.run = run;
    this.assignment = assignment;
    this.teller = teller;
    this.until = until;
    const tell = teller.hear.bind(teller);
    this.#confirmation = new Confirmation(run.session.variant, assignment, { tell });
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

  /** A case that was not generated has diverged: shrink it here, and report what is left. */
  async reportShrunk(
    number: number,
    operations: Operation[],
    divergence: Divergence,
  ): Promise<void> {
    const attempt = (tried: Operation[]): Promise<Divergence | undefined> =>
      Promise.resolve(this.run.replay(tried));
    const least = await this.#shrunk(operations, divergence, attempt, SHRINK_MS);
    await this.report(number, least, least.operations);
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

  /** A case has diverged, and is as short as it gets: tell what a fresh image shows of it. */
  async report(number: number, divergence: Divergence, operations: Operation[]): Promise<void> {
    const again = await this.#confirmation.run(operations);
    if (again === undefined && (await this.#foundInSequence(number))) return;
    const named = again && (await this.#confirmation.named(operations));
    this.#found(number, again ?? divergence, again !== undefined, named ?? []);
  }

  /** Whether a checkpoint finds something. */
  async fails(chunk: number, last = false): Promise<boolean> {
    return (await this.checkpoint(chunk, last)) !== undefined;
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
      return (await this.#reportOnDisk(chunk, first)) ? "confirmed" : "unconfirmed";
    }
    for (const silence of findings) if (await this.#confirms(chunk, silence)) return "confirmed";
    run.counts.transient += findings.length;
    return undefined;
  }

  /**
   * Find the suspect that shows it by itself, and shrink that; whether there is one.
   *
   * What is only silent, and warns on a fresh image, is no finding: pages can be reclaimed between
   * the last look at them and the end of the file system. Traced (6.18.44): DAMON does so every
   * five seconds; of 700 files that waited six seconds there 7 were silent, each of which had its
   * page deleted by kdamond meanwhile; of 800 that waited before the look none was.
   */
  async #confirms(chunk: number, { suspects }: OnDiskFinding): Promise<boolean> {
    const attempt = (tried: readonly Operation[]): Promise<Divergence | undefined> =>
      this.#confirmation.run(tried);
    for (const suspect of suspects) {
      const divergence = await attempt(suspect);
      if (divergence === undefined) continue;
      const least = await this.#shrunk(suspect, divergence, attempt, SHRINK_ON_DISK_MS);
      this.#found(chunk * CASES_PER_CHUNK, least, true, []);
      return true;
    }
    return false;
  }

  /** As `#confirms`; what no suspect shows by itself is reported of all of them. */
  async #reportOnDisk(chunk: number, found: OnDiskFinding): Promise<boolean> {
    if (await this.#confirms(chunk, found)) return true;
    const { finding, suspects } = found;
    const number = chunk * CASES_PER_CHUNK;
    if (await this.#foundInSequence(number)) return true;
    const message = `${finding.message} (after ${suspects.length} cases; none shows it alone)`;
    const all = onDiskDivergence(this.teller.variant, suspects.flat(), { ...finding, message });
    this.#found(number, all, false, []);
    return false;
  }

  /**
   * Whether a fresh image shows something when all cases are run on it that were here; then it is
   * found, and shrunk.
   */
  async #foundInSequence(number: number): Promise<boolean> {
    const { session, history } = this.run;
    const maxLength = Math.max(...history.map(({ operations }) => operations.length));
    const least = await leastSequence(history, {
      attempt: (operations, before) => this.#confirmation.run(operations, before),
      arbitrary: operationsArbitrary({ variant: session.variant, maxLength }),
      limitMs: SHRINK_ON_DISK_MS,
    });
    if (least !== undefined) this.#found(number, least, true, []);
    return least !== undefined;
  }

  #found(number: number, divergence: Divergence, confirmed: boolean, named: string[]): void {
    this.teller.found({ case: number, divergence, confirmed, named });
  }
}
