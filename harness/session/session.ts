/**
 * Session: an image, its mount, the subjects on it and the deviations expected there, opened and
 * closed as one.
 */
import { basename } from "node:path";
import type { Deviation } from "../../model/deviations/index.ts";
import type { ModelConfig } from "../../model/tables.ts";
import type { Observation } from "../case/observation.ts";
import type { Variant } from "../case/variant.ts";
import { modelWith, nameDeviations, needsDeviation } from "../lockstep/deviations.ts";
import type { Handover } from "../lockstep/handover.ts";
import { REPEATS, withContract } from "../lockstep/lockstep.ts";
import type { CaseResult, LockstepOptions } from "../lockstep/lockstep.ts";
import type { ModelSubject } from "../lockstep/model-subject.ts";
import { Timeline } from "../finding/timeline.ts";
import type { TimelineStep } from "../finding/timeline.ts";
import type { Operation } from "../operations/operation.ts";
import type { Mounted } from "../stored/result.ts";
import { openExecutor, releaseAnyway, supported } from "../subjects/executor.ts";
import type { Executor, ExecutorName } from "../subjects/executor.ts";
import { quietMillisecondsHere } from "../subjects/flusher.ts";
import { openImage } from "../subjects/image.ts";
import type { MountedImage } from "../subjects/image.ts";
import { mountedWith } from "../subjects/mount.ts";
import { reserveHere } from "../subjects/reserve.ts";
import { asItDelays, pathToModel, writePathOf } from "../subjects/write-path.ts";
import { modelConfig, unknownSeries } from "../under-test/kernel-traits.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import type { Listener } from "./events.ts";
import { expectedDeviations } from "./expected-deviations.ts";
import { KeptFiles } from "./kept-files.ts";
import type { CheckResult } from "./kept-files.ts";
import { runListening } from "./listening.ts";

/** On which kernel, and how, cases are performed and judged. */
export interface SessionOptions {
  traits: KernelTraits;
  /** Known deviations count as divergences. */
  strict: boolean;
  executor: ExecutorName;
}

/** What else may be given to a session. */
export interface SessionSetup {
  /** Hears of each operation that was performed. */
  tell?: Listener;
  /**
   * As another image of the variant was seen to be, and judged; a look at this one where that is
   * absent.
   */
  mounted?: Mounted | undefined;
  /** Known deviations that another image of the variant has shown; else they are tried here. */
  deviations?: readonly Deviation[] | undefined;
  /** What performs cases on an image; `openExecutor` where that is absent. */
  open?: ((image: MountedImage) => Executor) | undefined;
}

/** How a case is performed. */
export interface PerformOptions extends Pick<LockstepOptions, "onlyData" | "onStep" | "quietMs"> {
  /** Look only at what an operation touched where a file has many extents. */
  windows?: boolean;
  /** Write down what was expected and seen after every operation. */
  timeline?: boolean;
}

/** What came of a case. */
export interface Performed extends CaseResult {
  /** After each operation. */
  seen: Observation[];
  /** Where that was asked for. */
  timeline?: TimelineStep[];
}

const PERFORMED = { type: "performed" } as const;

/** Why no model follows files that take `path` there; undefined where one does. */
function notFollowed(
  { notModelled, variant }: MountedImage,
  traits: KernelTraits,
  path: Mounted["path"],
): string | undefined {
  if (notModelled !== undefined) return notModelled;
  return pathToModel(variant, path) === "iomap" ? unknownSeries(traits) : undefined;
}

/** The model's configuration for what is mounted; `follows`: whether it is followed. */
function configOf(
  image: MountedImage,
  traits: KernelTraits,
  mounted: Mounted,
  follows: boolean,
): ModelConfig {
  const { fresh, variant } = image;
  const path = pathToModel(variant, mounted.path);
  // Where the contract judges, the model only says which deviations are shown, for which there is
  // room.
  const reserve = follows ? reserveHere(variant) : undefined;
  return modelConfig(asItDelays(image), traits, fresh.freeBlocks, path, reserve);
}

export class Session {
  readonly image: MountedImage;
  readonly executor: Executor;
  readonly config: ModelConfig;
  /** The known ones that are expected here; none where they count as divergences. */
  readonly deviations: readonly Deviation[];
  /** With the contract. */
  readonly lockstep: LockstepOptions;
  readonly #plain: LockstepOptions;
  readonly #kept: KeptFiles;
  readonly #tell: Listener;
  /** No program counts pages. */
  readonly #countsPages: boolean;
  #mounted: Mounted;
  #model: ModelSubject | undefined;

  private constructor(
    image: MountedImage,
    { traits, strict, executor }: SessionOptions,
    { tell = () => {}, mounted, deviations, open }: SessionSetup,
  ) {
    const { name, blockSize } = image.variant;
    this.image = image;
    this.#tell = tell;
    this.#countsPages = traits.cachestat && executor === "ffi";
    this.executor = open?.(image) ?? openExecutor(executor, image);
    const path = mounted === undefined ? writePathOf(image) : mounted.path;
    const promised = mounted?.promised ?? notFollowed(image, traits, path);
    this.#mounted = mounted ?? {
      path,
      options: mountedWith(image.mountPoint),
      ...(promised && { promised }),
    };
    const follows = promised === undefined;
    this.config = configOf(image, traits, this.#mounted, follows);
    this.#plain = { variant: name, blockSize };
    const options = { ...this.#plain, onObservation: () => tell(PERFORMED) };
    const performing = { executor: this.executor, config: this.config, options };
    this.deviations = strict ? [] : (deviations ?? expectedDeviations(image, performing, traits));
    // What the kernel said of a witness is no finding about the first case.
    image.kernelLog?.records();
    this.#model = follows ? modelWith(this.config, this.deviations) : undefined;
    this.lockstep = {
      ...withContract(this.#plain, this.config, this.deviations, image.leeway),
      repeats: REPEATS,
      quietMs: quietMillisecondsHere(),
    };
    this.#kept = new KeptFiles(image);
  }

  /** Make and mount the variant's image. Throws EnvironmentError where this machine cannot. */
  static async open(
    variant: Variant,
    options: SessionOptions,
    setup: SessionSetup = {},
  ): Promise<Session> {
    const image = await openImage(variant);
    try {
      return new Session(image, options, setup);
    } catch (error) {
      image.close();
      throw error;
    }
  }

  close(): void {
    releaseAnyway(this.executor);
    this.image.close();
  }

  get mounted(): Mounted {
    return this.#mounted;
  }

  /** Undefined where only the contract judges. */
  get model(): ModelSubject | undefined {
    return this.#model;
  }

  /** From now on only the contract judges here; `why` is for the report. */
  judgeByContract(why: string): void {
    this.#model = undefined;
    this.#mounted = { ...this.#mounted, promised: why };
  }

  /** As it was made: with a journal where there is one. */
  get variant(): Variant {
    return this.image.variant;
  }

  /** What is left of a case that can be performed here. */
  supported(operations: readonly Operation[]): Operation[] {
    return supported(this.executor, [...operations]);
  }

  /**
   * Perform a case on a fresh file, with an ear on the kernel's log. Throws EnvironmentError where
   * the image's device fails.
   */
  perform(operations: readonly Operation[], how: PerformOptions = {}): Performed {
    const { windows = false, timeline: asked = false, ...judged } = how;
    const seen: Observation[] = [];
    const timeline = asked ? new Timeline() : undefined;
    const onObservation = (one: Observation, step: number): void => {
      seen[step] = one;
      timeline?.saw(one, step);
      this.#tell(PERFORMED);
    };
    const onExpected = timeline && timeline.expected.bind(timeline);
    this.executor.wholeLooks = !windows;
    const options = {
      ...this.lockstep,
      ...judged,
      onObservation,
      ...(onExpected && { onExpected }),
    };
    const result = runListening(this.image, this.model, this.executor, operations, options);
    return { ...result, seen, ...(timeline && { timeline: timeline.steps }) };
  }

  /**
   * The expected deviations that had a part in a case that was just performed and conforms, without
   * which the kernel could not have been followed.
   */
  deviationsIn(operations: readonly Operation[], seen: readonly Observation[]): Deviation[] {
    const { model, config, deviations } = this;
    return deviations.filter(
      (one) =>
        this.#showsInSteps(one) &&
        model?.hasDeviated(one.id) === true &&
        needsDeviation(config, deviations, one, operations, seen, this.#plain),
    );
  }

  /** What unmounting says of a page that counts as dirty, cachestat(2) says before. */
  #showsInSteps({ visible }: Deviation): boolean {
    return (
      visible === "step" || visible === "page cache" || (visible === "unmount" && this.#countsPages)
    );
  }

  /**
   * The known deviations, maybe none, with which a model that expects none follows the kernel
   * through the case; undefined where it never does.
   */
  named(operations: readonly Operation[]): Deviation[] | undefined {
    const options = { ...this.#plain, onObservation: () => this.#tell(PERFORMED) };
    return nameDeviations(this.config, this.executor, operations, options);
  }

  /** What the kernel has complained of since the last time; undefined where it has not. */
  complaint(): string | undefined {
    return this.image.kernelLog?.alarms(basename(this.image.loopDevice))[0];
  }

  /** Whether the file of another case may be kept. */
  get hasRoom(): boolean {
    return this.#kept.hasRoom;
  }

  /** Files that wait for a checkpoint. */
  get waiting(): number {
    return this.#kept.count;
  }

  /** Whether enough of them do. */
  get checkpointDue(): boolean {
    return this.#kept.full || this.image.runsOutOfFiles;
  }

  /**
   * Keep the file of the case that was just performed, the last operation of which was an fsync,
   * for the next checkpoint. Where the case was handed over only the contract knows its file.
   */
  keep(operations: readonly Operation[], handedOver: Handover | undefined): void {
    const { contract } = this.lockstep;
    if (this.model !== undefined && handedOver === undefined)
      this.#kept.add(this.model, this.executor, operations);
    else if (contract !== undefined) this.#kept.addPromised(contract, this.executor, operations);
  }

  /**
   * Check the kept files on disk, before that as a power cut would leave them if `cut`, and remove
   * them. Throws EnvironmentError.
   */
  async checkpoint(cut: boolean): Promise<CheckResult> {
    this.executor.release();
    const checked = await this.#kept.check(cut);
    // Else they were counted with the steps.
    return this.#countsPages ? { ...checked, deviated: [] } : checked;
  }
}
