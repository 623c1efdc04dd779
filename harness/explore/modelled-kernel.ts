/**
 * For tests: a model that an exploration takes for a kernel.
 */
import { REPEATS } from "../lockstep/lockstep.ts";
import { ModelSubject } from "../lockstep/model-subject.ts";
import type { ModelConfig } from "../../model/tables.ts";
import type { Executor } from "../subjects/executor.ts";
import { Explorer } from "./explorer.ts";
import type { ExploredDivergence, Place } from "./explorer.ts";
import type { Graph } from "./graph.ts";
import type { Walks } from "./walk.ts";

export class ModelledKernel extends ModelSubject implements Executor {
  wholeLooks = true;
  supports(): boolean {
    return true;
  }
  override keep(): never {
    throw new Error("no file of a model is kept");
  }
  release(): void {}
}

function placeOf(executor: ModelledKernel, config: ModelConfig): Place {
  const session = {
    executor,
    lockstep: { variant: "modelled", blockSize: config.blockSize, repeats: REPEATS },
    keep: () => {},
    hasRoom: false,
    waiting: 0,
    checkpointDue: false,
    complaint: () => undefined,
  };
  return { session, model: new ModelSubject(config) };
}

/**
 * Drive edges on such kernels, beside a model of this configuration, until nothing is left, or
 * `isEnough` was found; each that `boot` returns is taken up to a divergence.
 */
export function exploreModelled(
  boot: () => ModelledKernel,
  config: ModelConfig,
  graph: Graph,
  walks: Walks,
  isEnough: (found: readonly ExploredDivergence[]) => boolean = () => false,
): { found: ExploredDivergence[]; explorer: Explorer } {
  const explorer = new Explorer({ graph, walks, place: placeOf(boot(), config), tell: () => {} });
  const all: ExploredDivergence[] = [];
  while (!explorer.done && !isEnough(all)) {
    const found = explorer.drive(Infinity);
    if (found === undefined) continue;
    all.push(found);
    explorer.goOn(placeOf(boot(), config));
  }
  return { found: all, explorer };
}
