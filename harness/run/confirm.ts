/**
 * Confirmation: a case by itself on a fresh image, looked at after every operation and on disk.
 * What it shows cannot come from the cases before it.
 */
import type { Variant } from "../case/variant.ts";
import type { Divergence, EarlierCase } from "../finding/divergence.ts";
import { clampingsIn, describeClamping } from "../lockstep/clampings.ts";
import { behind, describeOperation, takenBy } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { worseFurtherOn } from "../session/further.ts";
import { onDiskDivergence } from "../session/kept-files.ts";
import { Session } from "../session/session.ts";
import type { Performed, SessionOptions, SessionSetup } from "../session/session.ts";
import type { Mounted } from "../stored/result.ts";
import { eventsDuring } from "../subjects/passed-events.ts";
import type { Finding } from "../subjects/same-on-disk.ts";
import type { Attempted } from "../workers/messages.ts";

/** An operation that was not done as it is, and what it takes. */
function describeNotDone(operation: Operation): string {
  const taken = takenBy(operation);
  const text = describeOperation(operation);
  return taken === undefined ? text : `${text}, which takes ${taken}`;
}

/** The divergence of a case after others. */
function after(divergence: Divergence, before: readonly EarlierCase[]): Divergence {
  return before.length === 0 ? divergence : { ...divergence, before: [...before] };
}

/** "in the file of case 2: ", where what is found is about the file of an earlier case. */
function whoseFile(
  { path }: Finding,
  [suspect]: readonly (readonly Operation[])[],
  before: readonly EarlierCase[],
): string {
  if (path === undefined) return "";
  const index = before.findIndex(({ operations }) => operations === suspect);
  return index < 0 ? "" : `in the file of case ${index + 1}: `;
}

/** What a case showed, and how it came to that. */
function told({ divergence, timeline }: Performed): Divergence | undefined {
  return divergence && timeline ? { ...divergence, timeline } : divergence;
}

/** What the files that were kept show on disk. */
async function divergenceOnDisk(
  session: Session,
  operations: readonly Operation[],
  before: readonly EarlierCase[],
): Promise<Divergence | undefined> {
  const [found, ...others] = (await session.checkpoint(true)).findings.map(
    ({ finding, suspects }) => ({
      ...finding,
      message: `${whoseFile(finding, suspects, before)}${finding.message}`,
    }),
  );
  if (found === undefined) return undefined;
  const divergence = onDiskDivergence(session.variant.name, operations, found);
  const evidence = others.map(({ message }) => message);
  return evidence.length === 0 ? divergence : { ...divergence, evidence };
}

/** The divergence of the earlier cases, after those before it; else their files wait, as asked. */
function divergenceBefore(
  session: Session,
  before: readonly EarlierCase[],
): Divergence | undefined {
  for (const [i, { operations, kept }] of before.entries()) {
    const { divergence, handedOver } = session.perform(operations);
    if (divergence !== undefined) return after(divergence, before.slice(0, i));
    if (kept) session.keep(operations, handedOver);
  }
  return undefined;
}

/** The divergence of a case that was `performed`, or of what it leaves on disk. */
async function divergenceOf(
  session: Session,
  operations: readonly Operation[],
  performed: Performed,
  before: readonly EarlierCase[],
): Promise<Divergence | undefined> {
  const first = told(performed);
  if (first !== undefined) {
    const onlyData = { onlyData: true, timeline: true } as const;
    const attempt = (further: Operation[]): Divergence | undefined =>
      told(session.perform(further, onlyData));
    return worseFurtherOn(session, operations, first, attempt)?.divergence ?? first;
  }
  const synced = behind(operations, [{ op: "fsync" }]);
  const again = session.perform(synced, { timeline: true });
  if (again.divergence !== undefined) return told(again);
  session.keep(synced, again.handedOver);
  const divergence = await divergenceOnDisk(session, synced, before);
  return divergence && told({ ...again, divergence });
}

/** Runs cases by themselves, each on a fresh image. */
export class Confirmation {
  readonly #variant: Variant;
  readonly #options: SessionOptions;
  readonly #setup: SessionSetup;
  /** As the first image was. */
  #mounted: Mounted | undefined;

  constructor(variant: Variant, options: SessionOptions, setup: SessionSetup = {}) {
    this.#variant = variant;
    this.#options = options;
    this.#setup = setup;
    this.#mounted = setup.mounted;
  }

  /**
   * The divergence that the case shows, after others on the same file system where there are some;
   * undefined where it shows none. One of an earlier case is that case's, after those before it.
   * About 0.2 s, and a millisecond for each other case.
   */
  async run(
    operations: readonly Operation[],
    before: readonly EarlierCase[] = [],
  ): Promise<Divergence | undefined> {
    return (await this.attempt(operations, before)).divergence;
  }

  /** The same, and all that is to be told of it. */
  attempt(
    operations: readonly Operation[],
    before: readonly EarlierCase[] = [],
  ): Promise<Attempted> {
    this.#setup.tell?.({ type: "trying", operations });
    return this.#onFreshImage(this.#options, async (session) => {
      const { executor, mounted } = session;
      const all = [...before.flatMap((one) => one.operations), ...operations];
      const notDone = all.filter((one) => !executor.supports(one)).map(describeNotDone);
      const earlier = before.map((one) => ({
        ...one,
        operations: session.supported(one.operations),
      }));
      const sooner = divergenceBefore(session, earlier);
      if (sooner !== undefined) return { divergence: sooner, mounted, notDone };
      const own = session.supported(operations);
      const performed = session.perform(own, { timeline: true });
      const clamped = clampingsIn(own, performed.seen).map(describeClamping);
      const found = await divergenceOf(session, own, performed, earlier);
      const divergence = found && after(found, earlier);
      const { handedOver, timeline } = performed;
      return { divergence, mounted, notDone, clamped, handedOver, timeline };
    });
  }

  /**
   * Ids of the known deviations, maybe none, with which the model follows the kernel through the
   * case; undefined where it never does.
   */
  named(operations: readonly Operation[]): Promise<string[] | undefined> {
    return this.#onFreshImage({ ...this.#options, strict: true }, async (session) =>
      session.named(session.supported(operations))?.map(({ id }) => id),
    );
  }

  /**
   * The promise that a case breaks where it diverges from the model, in words; empty where it
   * breaks none there, undefined where the contract has said all already, or cannot be asked.
   */
  async brokenPromise(found: Divergence): Promise<string | undefined> {
    const { operations, step, promise, before, seen } = found;
    // What nobody has seen after an operation is on disk, or about the kernel as a whole.
    if (promise !== undefined || before !== undefined || seen === undefined) return undefined;
    const broken = await this.#onFreshImage(this.#options, (session) => {
      session.judgeByContract("asked for what was promised");
      const upTo = session.supported(operations.slice(0, step + 1));
      return Promise.resolve(session.perform(upTo).divergence);
    });
    const isThere = broken?.promise !== undefined && broken.step === step;
    return isThere ? broken.message : "";
  }

  /**
   * Trace events that the call passes at which a case diverges; undefined where none can be had, or
   * where the divergence is not one of a call.
   */
  async passedBy({ operations, step, before, seen }: Divergence): Promise<string[] | undefined> {
    if (before !== undefined || seen === undefined) return undefined;
    return this.#onFreshImage(this.#options, (session) => {
      const upTo = session.supported(operations.slice(0, step + 1));
      const { executor } = session;
      return Promise.resolve(
        eventsDuring(session.image, (around) => {
          executor.aroundCall = { step, around };
          session.perform(upTo);
        }),
      );
    });
  }

  async #onFreshImage<T>(
    options: SessionOptions,
    use: (session: Session) => Promise<T>,
  ): Promise<T> {
    const setup = { ...this.#setup, mounted: this.#mounted };
    const session = await Session.open(this.#variant, options, setup);
    try {
      this.#mounted ??= session.mounted;
      return await use(session);
    } finally {
      session.close();
    }
  }
}
