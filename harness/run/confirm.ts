/**
 * Confirmation: a case by itself on a fresh image, looked at after every operation and on disk.
 * What it shows cannot come from the cases before it.
 */
import { modelWith, nameDeviations } from "../lockstep/deviations.ts";
import type { Divergence } from "../finding/divergence.ts";
import type { EarlierCase } from "../finding/earlier-case.ts";
import { openExecutor, releaseAnyway, supported } from "../subjects/executor.ts";
import type { Executor, ExecutorName } from "../subjects/executor.ts";
import { expectedDeviations } from "./expected-deviations.ts";
import type { Performing } from "./expected-deviations.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import { openImage } from "../subjects/image.ts";
import type { MountedImage } from "../subjects/image.ts";
import type { Finding } from "../subjects/same-on-disk.ts";
import { worseFurtherOn } from "./further.ts";
import { runListening } from "./listening.ts";
import { KeptFiles, onDiskDivergence } from "./kept-files.ts";
import { clampingsIn, describeClamping } from "../lockstep/clampings.ts";
import { REPEATS, withContract } from "../lockstep/lockstep.ts";
import type { CaseResult, LockstepOptions } from "../lockstep/lockstep.ts";
import type { Observation } from "../case/observation.ts";
import { behind, describeOperation } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { ModelSubject } from "../lockstep/model-subject.ts";
import type { Mounted } from "../workers/messages.ts";
import { configOf, mountedOf } from "./variant-run.ts";
import { quietMillisecondsHere } from "../subjects/flusher.ts";
import { pathToModel } from "../subjects/write-path.ts";
import type { Handover } from "../lockstep/handover.ts";
import type { Variant } from "../case/variant.ts";

/** A fresh image with what it takes to run cases on it. */
interface Setup extends Performing {
  image: MountedImage;
}

/** What its cases are held against. */
interface Judging {
  /** Undefined where only the contract judges. */
  model: ModelSubject | undefined;
  promised: LockstepOptions;
}

function perform(
  { image, executor }: Setup,
  { model, promised }: Judging,
  operations: readonly Operation[],
  onObservation = promised.onObservation,
): CaseResult {
  const options = onObservation === undefined ? promised : { ...promised, onObservation };
  return runListening(image, model, executor, operations, options);
}

/** Keep the file of a case that was just performed for the look at the disk. */
function keep(
  kept: KeptFiles,
  { model, promised: { contract } }: Judging,
  executor: Executor,
  operations: readonly Operation[],
  handedOver: Handover | undefined,
): void {
  if (model !== undefined && handedOver === undefined) kept.add(model, executor, operations);
  else if (contract !== undefined) kept.addPromised(contract, executor, operations);
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

export interface ConfirmationOptions {
  variant: Variant;
  traits: KernelTraits;
  strict: boolean;
  executor: ExecutorName;
  /** Called after each operation. */
  onAlive?: () => void;
  /** Called before each case. */
  onCase?: (operations: readonly Operation[]) => void;
  /** What performs cases on an image; `openExecutor` of `executor` where that is absent. */
  open?: (image: MountedImage) => Executor;
}

/** Runs cases by themselves, each on a fresh image. */
export class Confirmation {
  readonly #given: ConfirmationOptions;
  /** Once there was an image. */
  mounted: Mounted | undefined;
  /**
   * Of the case that was run last: operations that the machine could not do as they are, in words.
   */
  notDone: string[] = [];
  /**
   * Of the case that was run last: what was done in place of operations that cannot be done as they
   * stand, in words.
   */
  clamped: string[] = [];
  /** Of the case that was run last: from where on the contract alone judged it. */
  handedOver: Handover | undefined;

  constructor(options: ConfirmationOptions) {
    this.#given = options;
  }

  /**
   * The divergence that the case shows, after others on the same file system where there are some;
   * undefined where it shows none. One of an earlier case is that case's, after those before it.
   * About 0.2 s, and a millisecond for each other case.
   */
  run(
    operations: readonly Operation[],
    before: readonly EarlierCase[] = [],
  ): Promise<Divergence | undefined> {
    this.#given.onCase?.(operations);
    return this.#onFreshImage((setup) => {
      const { executor } = setup;
      const all = [...before.flatMap((one) => one.operations), ...operations];
      this.notDone = all.filter((one) => !executor.supports(one)).map(describeOperation);
      const earlier = before.map((one) => ({
        ...one,
        operations: supported(executor, one.operations),
      }));
      return this.#runOn(setup, supported(executor, [...operations]), earlier);
    });
  }

  /**
   * Ids of the known deviations, maybe none, with which the model follows the kernel through the
   * case; undefined where it never does.
   */
  named(operations: readonly Operation[]): Promise<string[] | undefined> {
    return this.#onFreshImage(({ config, executor, options }) => {
      const performed = supported(executor, [...operations]);
      const named = nameDeviations(config, executor, performed, options);
      return Promise.resolve(named?.map(({ id }) => id));
    });
  }

  async #onFreshImage<T>(use: (setup: Setup) => Promise<T>): Promise<T> {
    const { variant, traits, onAlive } = this.#given;
    const image = await openImage(variant);
    try {
      const open = this.#given.open ?? ((on): Executor => openExecutor(this.#given.executor, on));
      const executor = open(image);
      const { name, blockSize } = variant;
      const options = { variant: name, blockSize, onObservation: onAlive ?? ((): void => {}) };
      this.mounted ??= mountedOf(image);
      const path = pathToModel(variant, this.mounted.path);
      const config = configOf(image, traits, path);
      const result = await use({ image, executor, config, options });
      releaseAnyway(executor);
      return result;
    } finally {
      image.close();
    }
  }

  async #runOn(
    setup: Setup,
    operations: readonly Operation[],
    before: readonly EarlierCase[],
  ): Promise<Divergence | undefined> {
    const judging = this.#judging(setup);
    const { image, executor } = setup;
    const kept = new KeptFiles(image);
    for (const [i, one] of before.entries()) {
      const { divergence, handedOver } = perform(setup, judging, one.operations);
      if (divergence !== undefined) return after(divergence, before.slice(0, i));
      if (one.kept) keep(kept, judging, executor, one.operations, handedOver);
    }
    const seen: Observation[] = [];
    const onObservation = (one: Observation, step: number): void => {
      seen[step] = one;
      judging.promised.onObservation?.(one, step);
    };
    const first = perform(setup, judging, operations, onObservation);
    this.clamped = clampingsIn(operations, seen).map(describeClamping);
    this.handedOver = first.handedOver;
    if (first.divergence !== undefined) {
      const worse = this.#worse(setup, judging.model, operations, first.divergence);
      return after(worse ?? first.divergence, before);
    }
    const synced = behind(operations, [{ op: "fsync" }]);
    const again = perform(setup, judging, synced);
    if (again.divergence !== undefined) return after(again.divergence, before);
    keep(kept, judging, executor, synced, again.handedOver);
    executor.release();
    const findings = (await kept.check(true)).findings.map(({ finding, suspects }) => ({
      ...finding,
      message: `${whoseFile(finding, suspects, before)}${finding.message}`,
    }));
    const [found, ...others] = findings;
    if (found === undefined) return undefined;
    const divergence = onDiskDivergence(this.#given.variant.name, synced, found);
    const evidence = others.map(({ message }) => message);
    return after(evidence.length === 0 ? divergence : { ...divergence, evidence }, before);
  }

  /** What cases on a fresh image are held against. */
  #judging(setup: Setup): Judging {
    const { image, config, options } = setup;
    const { strict, traits } = this.#given;
    const deviations = strict ? [] : expectedDeviations(image, setup, traits);
    image.kernelLog?.records();
    const follows = image.notModelled === undefined;
    const model = follows ? modelWith(config, deviations) : undefined;
    const promised = {
      ...withContract(options, config, deviations, image.leeway),
      repeats: REPEATS,
      quietMs: quietMillisecondsHere(),
    };
    return { model, promised };
  }

  /**
   * Data that is lost or shown further on in a case of which `found` is the first symptom, where
   * that is a small one.
   */
  #worse(
    { image, executor, options }: Setup,
    model: ModelSubject | undefined,
    operations: readonly Operation[],
    found: Divergence,
  ): Divergence | undefined {
    if (model === undefined) return undefined;
    const onlyData = { ...options, onlyData: true as const };
    return worseFurtherOn(
      found,
      (operation) => executor.supports(operation),
      (look) => runListening(image, model, executor, behind(operations, look), onlyData).divergence,
    );
  }
}
