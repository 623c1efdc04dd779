/**
 * The known deviations that a run is to expect of its image: found out there by their witnesses.
 */
import { watchedDeviations } from "../../model/deviations/index.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import { PAGE_SIZE } from "../../model/include/types.ts";
import type { ModelConfig } from "../../model/tables.ts";
import type { MountedImage } from "../subjects/image.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import { shownDeviations, unmountDeviations, witnessesOf } from "../lockstep/deviations.ts";
import { runPromised, withContract } from "../lockstep/lockstep.ts";
import type { LockstepOptions } from "../lockstep/lockstep.ts";
import type { Operation } from "../operations/operation.ts";
import type { Subject } from "../lockstep/subject.ts";
import { mayFillUp } from "../case/variant.ts";
import type { Executor } from "../subjects/executor.ts";
import { powerCutDeviations } from "./power-cut-deviations.ts";

/** What it takes to perform a witness. */
type Witnessing = Subject & Pick<Executor, "supports">;

/** Who performs, on which file system. */
export interface Performing<E extends Witnessing = Executor> {
  executor: E;
  config: ModelConfig;
  options: LockstepOptions;
}

/** What is left of a file after a power cut. */
const CUT: Operation = { op: "power_cut" };

/**
 * The witnesses of a deviation that an executor can perform. What it cannot perform shows nothing,
 * nor can what that stands for.
 */
function performable(executor: Witnessing, deviation: Deviation): Operation[][] {
  return witnessesOf(deviation).filter((operations) =>
    operations.every((operation) => executor.supports(operation)),
  );
}

/**
 * Those that show after an operation, and those that probing found to show at unmount. Where the
 * page cache is not told, what would show there shows after a power cut.
 */
export function deviationsOfExecutor(
  { executor, config, options }: Performing<Witnessing>,
  { atUnmount, cachestat }: Pick<KernelTraits, "atUnmount" | "cachestat">,
): Deviation[] {
  const tried = (deviation: Deviation): Operation[][] => {
    const hidden = deviation.visible === "page cache" && !cachestat;
    const witnesses = performable(executor, deviation);
    if (!hidden) return witnesses;
    return executor.supports(CUT) ? witnesses.map((operations) => [...operations, CUT]) : [];
  };
  const unmount = unmountDeviations(atUnmount);
  return [...shownDeviations(config, executor, options, tried, unmount), ...unmount];
}

/**
 * Those that need a full file system. The model cannot say to the block how much fits there, so the
 * contract judges their witnesses: they break a promise, and no other than they are known to break.
 */
export function deviationsWithoutRoom(performing: Performing<Witnessing>): Deviation[] {
  const { executor, config, options } = performing;
  const keeps = (operations: readonly Operation[], excused: readonly Deviation[]): boolean => {
    const promised = withContract(options, config, excused, { mayFillUp: true });
    return runPromised(executor, operations, promised).divergence === undefined;
  };
  const shown = watchedDeviations(config.path).filter(
    (deviation) =>
      deviation.witness.freeBlocks !== undefined &&
      performable(executor, deviation).some(
        (operations) => !keeps(operations, []) && keeps(operations, [deviation]),
      ),
  );
  executor.end();
  return shown;
}

/** All that are to be expected on `image`. */
export function expectedDeviations(
  image: MountedImage,
  performing: Performing,
  traits: KernelTraits,
): Deviation[] {
  // The model, which says what a witness shows, knows no such blocks.
  if (image.variant.blockSize > PAGE_SIZE) return [];
  const shown = deviationsOfExecutor(performing, traits);
  const full = mayFillUp(image.variant) ? deviationsWithoutRoom(performing) : [];
  return [
    ...shown,
    ...full.filter((deviation) => !shown.includes(deviation)),
    ...powerCutDeviations(image, performing.config),
  ];
}
