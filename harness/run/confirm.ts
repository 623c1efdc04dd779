/**
 * Confirmation: a case by itself on a fresh image, looked at after every operation and on disk. What it shows cannot
 * come from the cases before it.
 */
import { modelWith, nameDeviations } from "../lockstep/deviations.ts";
import type { Divergence } from "../divergence.ts";
import { openExecutor, releaseAnyway, supported } from "./executor.ts";
import type { ExecutorName } from "./executor.ts";
import { expectedDeviations } from "./expected-deviations.ts";
import type { Performing } from "./expected-deviations.ts";
import type { KernelTraits } from "../kernel-traits.ts";
import { openImage } from "../kernel/image.ts";
import type { MountedImage } from "../kernel/image.ts";
import { FURTHER_LOOKS } from "./further.ts";
import { runListening } from "./listening.ts";
import { KeptFiles, onDiskDivergence } from "./kept-files.ts";
import { clampingsIn, describeClamping } from "../lockstep/clampings.ts";
import { REPEATS, withContract } from "../lockstep/lockstep.ts";
import type { Observation } from "../observation.ts";
import { describeOperation } from "../operation.ts";
import type { Operation } from "../operation.ts";
import type { ModelSubject } from "../lockstep/model-subject.ts";
import { isMinor, isWorse } from "../severity.ts";
import type { Mounted } from "./messages.ts";
import { configOf, mountedOf } from "./variant-run.ts";
import { quietMillisecondsHere } from "../kernel/flusher.ts";
import { pathToModel } from "../kernel/write-path.ts";
import type { Handover } from "../lockstep/handover.ts";
import type { Variant } from "../variant.ts";

/** A fresh image with what it takes to run cases on it. */
interface Setup extends Performing {
  image: MountedImage;
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
}

/** Runs cases by themselves, each on a fresh image. */
export class Confirmation {
  readonly #given: ConfirmationOptions;
  /** Once there was an image. */
  mounted: Mounted | undefined;
  /** Of the case that was run last: operations that the machine could not do as they are, in words. */
  notDone: string[] = [];
  /** Of the case that was run last: what was done in place of operations that cannot be done as they stand, in words. */
  clamped: string[] = [];
  /** Of the case that was run last: from where on the contract alone judged it. */
  handedOver: Handover | undefined;

  constructor(options: ConfirmationOptions) {
    this.#given = options;
  }

  /** The divergence that the case shows; undefined where it shows none. About 0.2 s. */
  run(operations: readonly Operation[]): Promise<Divergence | undefined> {
    this.#given.onCase?.(operations);
    return this.#onFreshImage((setup) => {
      const { executor } = setup;
      this.notDone = operations.filter((one) => !executor.supports(one)).map(describeOperation);
      return this.#runOn(setup, supported(executor, [...operations]));
    });
  }

  /**
   * Ids of the known deviations, maybe none, with which the model follows the kernel through the case; undefined where
   * it never does.
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
      const executor = openExecutor(this.#given.executor, image);
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

  async #runOn(setup: Setup, operations: readonly Operation[]): Promise<Divergence | undefined> {
    const { image, executor, config, options } = setup;
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
    const seen: Observation[] = [];
    const onObservation = (one: Observation, step: number): void => {
      seen[step] = one;
      promised.onObservation?.(one, step);
    };
    const first = runListening(image, model, executor, operations, { ...promised, onObservation });
    this.clamped = clampingsIn(operations, seen).map(describeClamping);
    this.handedOver = first.handedOver;
    if (first.divergence !== undefined) {
      return this.#worse(setup, model, operations, first.divergence) ?? first.divergence;
    }
    const synced: Operation[] = [...operations, { op: "fsync" }];
    const again = runListening(image, model, executor, synced, promised);
    if (again.divergence !== undefined) return again.divergence;
    const kept = new KeptFiles(image);
    if (model !== undefined && again.handedOver === undefined) kept.add(model, executor, synced);
    else if (promised.contract !== undefined) {
      kept.addPromised(promised.contract, executor, synced);
    }
    executor.release();
    const [found, ...others] = (await kept.check(true)).findings.map(({ finding }) => finding);
    if (found === undefined) return undefined;
    const divergence = onDiskDivergence(this.#given.variant.name, synced, found);
    const evidence = others.map(({ message }) => message);
    return evidence.length === 0 ? divergence : { ...divergence, evidence };
  }

  /** Data that is lost or shown further on in a case of which `found` is the first symptom, where that is a small one. */
  #worse(
    { image, executor, options }: Setup,
    model: ModelSubject | undefined,
    operations: readonly Operation[],
    found: Divergence,
  ): Divergence | undefined {
    if (model === undefined || !isMinor(found.kind)) return undefined;
    for (const look of FURTHER_LOOKS) {
      if (!look.every((operation) => executor.supports(operation))) continue;
      const onlyData = { ...options, onlyData: true as const };
      const all = [...operations, ...look];
      const { divergence } = runListening(image, model, executor, all, onlyData);
      if (divergence !== undefined && isWorse(divergence.kind, found.kind)) return divergence;
    }
    return undefined;
  }
}
