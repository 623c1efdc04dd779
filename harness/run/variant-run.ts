/**
 * VariantRun: chunk after chunk of cases on one variant's image, with checkpoints in between.
 */
import { basename } from "node:path";
import type { Deviation } from "../../model/deviations/index.ts";
import type { ModelConfig } from "../../model/tables.ts";
import { CASES_PER_CHUNK, checkChunk, chunkSeed } from "./chunk.ts";
import type { CaseSource } from "./chunk.ts";
import { modelWith, needsDeviation } from "../lockstep/deviations.ts";
import type { Divergence } from "../finding/divergence.ts";
import type { EarlierCase } from "../finding/earlier-case.ts";
import { alphabetOf } from "../explore/alphabet.ts";
import type { Exploration } from "../explore/exploration.ts";
import { EdgeSet } from "../explore/driven.ts";
import type { DrivenEdges } from "../explore/driven.ts";
import { Explorer } from "../explore/explorer.ts";
import { Graph } from "../explore/graph.ts";
import { Walks } from "../explore/walk.ts";
import { EnvironmentError, UsageError } from "../case/failure.ts";
import { openExecutor, releaseAnyway, supported } from "../subjects/executor.ts";
import type { Executor, ExecutorName } from "../subjects/executor.ts";
import { expectedDeviations } from "./expected-deviations.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import { modelConfig } from "../under-test/kernel-traits.ts";
import { openImage } from "../subjects/image.ts";
import type { MountedImage } from "../subjects/image.ts";
import { worseFurtherOn } from "./further.ts";
import { runListening } from "./listening.ts";
import { KeptFiles } from "./kept-files.ts";
import type { OnDiskFinding } from "./kept-files.ts";
import type { Handover } from "../lockstep/handover.ts";
import { REPEATS, withContract } from "../lockstep/lockstep.ts";
import type { LockstepOptions } from "../lockstep/lockstep.ts";
import type { ModelSubject } from "../lockstep/model-subject.ts";
import { clampingsIn } from "../lockstep/clampings.ts";
import { note, noteClampings } from "../lockstep/statistics.ts";
import type { Statistics } from "../lockstep/statistics.ts";
import type { Observation } from "../case/observation.ts";
import type { Mounted } from "../workers/messages.ts";
import { NOTHING_RUN } from "../workers/run-counts.ts";
import type { RunCounts } from "../workers/run-counts.ts";
import { mountedWith } from "../subjects/mount.ts";
import { behind } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { asItDelays, pathToModel, writePathOf } from "../subjects/write-path.ts";
import { quietMillisecondsHere } from "../subjects/flusher.ts";
import { reserveHere } from "../subjects/reserve.ts";
import type { Variant } from "../case/variant.ts";
import { isWorse } from "../finding/severity.ts";

/** Of so many cases one is kept for a checkpoint. */
const KEEP_EVERY = 8;

/** Milliseconds that shrinking one divergence may take. */
const SHRINK_MS = 30_000;

export interface VariantRunOptions {
  /** Known deviations count as divergences. */
  strict: boolean;
  executor: ExecutorName;
  /** Count what operations meet. */
  statistics?: boolean;
}

/** Which part of something a job does. */
export interface Share {
  job: number;
  jobs: number;
}

/** A divergence of a run, shrunk. */
export interface RunFinding {
  /** Number of the case that showed it first. */
  case: number;
  operations: Operation[];
  divergence: Divergence;
}

/** How an image is mounted, and which path a write to it is seen to take. */
export function mountedOf(image: MountedImage): Mounted {
  const { notModelled } = image;
  const promised = notModelled === undefined ? {} : { promised: notModelled };
  return { path: writePathOf(image), options: mountedWith(image.mountPoint), ...promised };
}

/** The model's configuration for what is mounted, whose writes take `path`. */
export function configOf(
  image: MountedImage,
  traits: KernelTraits,
  path: ModelConfig["path"],
): ModelConfig {
  const { fresh, variant, notModelled } = image;
  // Where the contract judges, the model only says which deviations are shown, for which there is
  // room.
  const reserve = notModelled === undefined ? reserveHere(variant) : undefined;
  return modelConfig(asItDelays(image), traits, fresh.freeBlocks, path, reserve);
}

/** Called before each leg of a walk, and when the file of one stays for the next checkpoint. */
export interface ExplorerWatch {
  onLeg?: (fresh: boolean, operations: readonly Operation[]) => void;
  onKept?: (operations: readonly Operation[]) => void;
}

/** A case as it is where its file is kept. */
const synced = (operations: readonly Operation[]): Operation[] =>
  behind(operations, [{ op: "fsync" }]);

export class VariantRun {
  readonly variant: Variant;
  /** How the image is mounted, and which path a write to it was seen to take. */
  readonly mounted: Mounted;
  readonly deviations: readonly Deviation[];
  readonly counts: RunCounts;
  readonly #image: MountedImage;
  readonly #subject: Executor;
  /** Undefined where only the contract judges. */
  readonly #model: ModelSubject | undefined;
  readonly #kept: KeptFiles;
  readonly #config: ModelConfig;
  readonly #countsPages: boolean;
  /** With the contract. */
  readonly #lockstepOptions: LockstepOptions;
  /** Called after each operation. */
  onAlive: () => void = () => {};
  /**
   * Called before each generated case with its number in the run and whether its file is kept for a
   * checkpoint.
   */
  onCase: (number: number, kept: boolean) => void = () => {};
  /** Called after a case that shows no divergence with what was seen last. */
  onConforms: (seen: Observation | undefined) => void = () => {};
  /** Called when the first case fails, before it is shrunk. */
  onDiverged: () => void = () => {};
  /** Whether no further case is to be begun; shrinking goes on. */
  isTimeUp: () => boolean = () => false;
  /** Called before each other case. */
  onTrying: (operations: readonly Operation[]) => void = () => {};
  #recorded: Observation[] = [];
  /**
   * Cases that were performed since the last checkpoint that found nothing, up to the first one
   * that diverged.
   */
  #history: EarlierCase[] = [];
  /** The contract alone judged the end of the last case, so the model does not know its file. */
  #handedOver = false;
  /** What operations met; undefined where nobody asks. */
  readonly statistics: Statistics | undefined;
  /**
   * What is looked at after the end of the case that is shrunk, for its data alone; undefined where
   * all counts.
   */
  #further: readonly Operation[] | undefined;
  /** Of the last case that diverged: the one that shrinking ended at. */
  #diverged: Divergence | undefined;

  private constructor(image: MountedImage, traits: KernelTraits, options: VariantRunOptions) {
    this.variant = image.variant;
    this.#image = image;
    // No program counts them.
    this.#countsPages = traits.cachestat && options.executor === "ffi";
    this.#subject = openExecutor(options.executor, image);
    this.mounted = mountedOf(image);
    const path = pathToModel(image.variant, this.mounted.path);
    this.#config = configOf(image, traits, path);
    const performing = {
      executor: this.#subject,
      config: this.#config,
      options: this.#lockstep(),
    };
    this.deviations = options.strict ? [] : expectedDeviations(image, performing, traits);
    // What the kernel said of a witness is no finding about the first case.
    image.kernelLog?.records();
    const follows = image.notModelled === undefined;
    const model = follows ? modelWith(this.#config, this.deviations) : undefined;
    this.#model = model;
    const statistics: Statistics = {};
    this.statistics = options.statistics === true ? statistics : undefined;
    this.#lockstepOptions = {
      ...withContract(this.#lockstep(), this.#config, this.deviations, image.leeway),
      quietMs: quietMillisecondsHere(),
      repeats: REPEATS,
      ...(this.statistics !== undefined &&
        model !== undefined && {
          onStep: (operation: Operation) => note(statistics, operation, model.inode),
        }),
    };
    this.#kept = new KeptFiles(image);
    const deviations = Object.fromEntries(this.deviations.map(({ id }) => [id, 0]));
    this.counts = { ...NOTHING_RUN, deviations, handedOver: {} };
  }

  /** Make and mount the variant's image. Throws EnvironmentError where this machine cannot. */
  static async open(
    variant: Variant,
    traits: KernelTraits,
    options: VariantRunOptions,
  ): Promise<VariantRun> {
    const image = await openImage(variant);
    try {
      return new VariantRun(image, traits, options);
    } catch (error) {
      image.close();
      throw error;
    }
  }

  close(): void {
    releaseAnyway(this.#subject);
    this.#image.close();
  }

  #lockstep(): { variant: string; blockSize: number } {
    return { variant: this.variant.name, blockSize: this.variant.blockSize };
  }

  /** Run the cases of a chunk, `cases` of them. Returns the first divergence, shrunk. */
  runChunk(source: CaseSource, chunk: number, cases: number): RunFinding | undefined {
    let index = 0;
    let shrinking = false;
    const { arbitrary, seed } = source;
    const shrunk = checkChunk(
      {
        arbitrary,
        seed: chunkSeed(seed, chunk),
        cases,
        shrinkMs: SHRINK_MS,
      },
      (drawn) => {
        if (!shrinking && index > 0 && this.isTimeUp()) return false;
        const operations = this.#supported(drawn);
        const keep = !shrinking && index % KEEP_EVERY === 0 && this.#kept.hasRoom;
        if (shrinking) this.onTrying(operations);
        else this.onCase(chunk * CASES_PER_CHUNK + index++, keep);
        if (!shrinking) this.#remember(operations, keep);
        this.#subject.wholeLooks = shrinking;
        const worst = this.#diverged;
        const failed = this.#runCase(operations, keep);
        if (failed && shrinking && isWorse(worst!.kind, this.#diverged!.kind)) {
          // Data that is lost is not to become a page that is counted wrong.
          this.#diverged = worst;
          return false;
        }
        if (failed && !shrinking) {
          this.onDiverged();
          this.#lookCloser(operations, keep);
          this.#lookFurther(operations);
        }
        shrinking ||= failed;
        return failed;
      },
    );
    if (shrunk === undefined) return undefined;
    const divergence = this.#diverged as Divergence;
    const number = chunk * CASES_PER_CHUNK + shrunk.index;
    const operations = [...this.#supported(shrunk.operations), ...(this.#further ?? [])];
    this.#further = undefined;
    return { case: number, operations, divergence };
  }

  /** At which step a divergence begins may only show where every look is at the whole file. */
  #lookCloser(operations: Operation[], keep: boolean): void {
    this.#subject.wholeLooks = true;
    try {
      this.#runCase(operations, keep);
    } catch (error) {
      // The case may have broken the file system; what it showed then stands.
      if (!(error instanceof EnvironmentError)) throw error;
    }
  }

  /**
   * Whether data is lost or shown further on in a case whose first symptom is small: then that is
   * what is shrunk.
   */
  #lookFurther(operations: Operation[]): void {
    const first = this.#diverged!;
    if (this.#model === undefined) return;
    const worse = worseFurtherOn(
      first,
      (operation) => this.#subject.supports(operation),
      (look) => {
        this.#further = look;
        this.#lookCloser(operations, false);
        return this.#diverged;
      },
    );
    if (worse === undefined) this.#further = undefined;
    this.#diverged = worse ?? first;
  }

  /** Run a case that was not generated, number `number` of the run. Returns its divergence. */
  runListed(operations: Operation[], number: number): Divergence | undefined {
    const keep = number % KEEP_EVERY === 0 && this.#kept.hasRoom;
    const performed = this.#supported(operations);
    this.onCase(number, keep);
    this.#subject.wholeLooks = true;
    this.#remember(performed, keep);
    return this.#runCase(performed, keep) ? this.#diverged : undefined;
  }

  /**
   * The graph of a file of a few blocks, as this kernel is expected to go through it. Throws
   * UsageError where no model knows it.
   */
  graph({ blocks, depth = Infinity, alphabet }: Exploration): Graph {
    const { variant, deviations } = this;
    if (this.#model === undefined) {
      throw new UsageError(`${variant.name}: ${this.mounted.promised}, so it has no states`);
    }
    const letters = alphabetOf(alphabet, blocks, variant.blockSize);
    return new Graph({
      config: this.#config,
      overrides: deviations.map(({ override }) => override),
      alphabet: letters.filter((operation) => this.#subject.supports(operation)),
      most: blocks * variant.blockSize,
      depth,
    });
  }

  /**
   * The edges of a graph that are a job's share, without those that were driven before, if that was
   * of this graph.
   */
  walks(graph: Graph, { job, jobs }: Share, before: DrivenEdges | undefined): Walks {
    const same = before !== undefined && before.graph === graph.digest;
    const driven = same ? EdgeSet.unpack(before) : undefined;
    return new Walks(graph, (state) => state % jobs === job, driven);
  }

  /** What drives edges of a graph here. */
  explorer(graph: Graph, walks: Walks, { onLeg, onKept }: ExplorerWatch): Explorer {
    const model = this.#model!;
    this.#subject.wholeLooks = true;
    const device = basename(this.#image.loopDevice);
    return new Explorer({
      graph,
      model,
      subject: this.#subject,
      walks,
      lockstep: this.#lockstepOptions,
      keep: (operations) => {
        if (!this.#kept.hasRoom) return;
        onKept?.(operations);
        this.#keep([...operations]);
      },
      ...(onLeg && { onLeg }),
      // Where no file waits, a new mount loses nothing.
      due: () => this.#kept.count > 0 && this.checkpointDue,
      complaint: () => this.#image.kernelLog?.alarms(device)[0],
    });
  }

  /** Run one stored case. Returns its divergence. */
  replay(operations: Operation[]): Divergence | undefined {
    this.#subject.wholeLooks = true;
    this.onTrying(operations);
    const performed = this.#supported(operations);
    this.#remember(performed, false);
    return this.#runCase(performed, false) ? this.#diverged : undefined;
  }

  /**
   * The cases in which the cause may be of what was found: all since the last checkpoint that found
   * nothing, the one that diverged, if one did, as the last. Not what an exploration drove.
   */
  get history(): readonly EarlierCase[] {
    return this.#history;
  }

  /** What is tried after the first divergence is not part of it. */
  #remember(operations: Operation[], keep: boolean): void {
    if (this.#diverged !== undefined || operations.length === 0) return;
    this.#history.push(keep ? { operations: synced(operations), kept: true } : { operations });
  }

  #supported(operations: Operation[]): Operation[] {
    return supported(this.#subject, operations);
  }

  /** Run one case; whether it diverged. */
  #runCase(operations: Operation[], keep: boolean): boolean {
    this.#recorded = [];
    const further = this.#further;
    const all =
      further === undefined && keep ? synced(operations) : [...operations, ...(further ?? [])];
    const onObservation = (seen: Observation, step: number): void => {
      this.#recorded[step] = seen;
      this.onAlive();
    };
    const onlyData = further === undefined ? {} : { onlyData: true as const };
    const options = { ...this.#lockstepOptions, ...onlyData, onObservation };
    const result = runListening(this.#image, this.#model, this.#subject, all, options);
    this.counts.cases += 1;
    this.counts.operations += result.steps;
    this.counts.guesses += result.guesses;
    this.counts.transient += result.transient;
    this.#noteHandover(result.handedOver);
    if (this.statistics !== undefined) {
      noteClampings(this.statistics, clampingsIn(all, this.#recorded));
    }
    if (result.divergence !== undefined) {
      this.#diverged = result.divergence;
      return true;
    }
    this.onConforms(result.steps === 0 ? undefined : this.#recorded.at(-1));
    this.#countDeviations(all);
    if (keep) this.#keep(all);
    return false;
  }

  #noteHandover(handover: Handover | undefined): void {
    this.#handedOver = handover !== undefined;
    if (handover === undefined) return;
    const { handedOver } = this.counts;
    handedOver[handover.reason] = (handedOver[handover.reason] ?? 0) + 1;
  }

  #keep(operations: Operation[]): void {
    const { contract } = this.#lockstepOptions;
    if (this.#model !== undefined && !this.#handedOver)
      this.#kept.add(this.#model, this.#subject, operations);
    else if (contract !== undefined) this.#kept.addPromised(contract, this.#subject, operations);
  }

  /** What unmounting says of a page that counts as dirty, cachestat(2) says before. */
  #showsInSteps({ visible }: Deviation): boolean {
    return (
      visible === "step" || visible === "page cache" || (visible === "unmount" && this.#countsPages)
    );
  }

  /**
   * The model says which deviations had a part; a count is made only where the kernel cannot be
   * followed without.
   */
  #countDeviations(operations: readonly Operation[]): void {
    if (this.#model === undefined) return;
    for (const deviation of this.deviations) {
      if (!this.#showsInSteps(deviation) || !this.#model.hasDeviated(deviation.id)) continue;
      const needed = needsDeviation(
        this.#config,
        this.deviations,
        deviation,
        operations,
        this.#recorded,
        this.#lockstep(),
      );
      if (needed) this.counts.deviations[deviation.id]! += 1;
    }
  }

  /** Whether enough files wait for a checkpoint. */
  get checkpointDue(): boolean {
    return this.#kept.full || this.#image.runsOutOfFiles;
  }

  /** Check the kept files on disk; `cut`: now and then, else only as it unmounts. */
  async checkpoint(cut: boolean): Promise<OnDiskFinding[]> {
    if (this.#kept.count === 0) return [];
    this.counts.files += this.#kept.count;
    this.counts.checkpoints += 1;
    this.#subject.release();
    const { findings, deviated } = await this.#kept.check(cut);
    // Else they were counted with the steps.
    if (!this.#countsPages) for (const id of deviated) this.counts.deviations[id]! += 1;
    if (findings.every(({ finding }) => finding.kind === "silence")) this.#history = [];
    return findings;
  }
}
