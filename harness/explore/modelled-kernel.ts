/**
 * For tests: a model that an exploration takes for a kernel.
 */
import { REPEATS } from "../lockstep/lockstep.ts";
import { ModelSubject } from "../lockstep/model-subject.ts";
import type { ModelConfig } from "../../model/tables.ts";
import type { Executor } from "../subjects/executor.ts";
import { Explorer } from "./explorer.ts";
import type { ExploredDivergence } from "./explorer.ts";
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

/**
 * Drive edges on such a kernel, beside a model of this configuration, until something is found or
 * nothing is left.
 */
export function exploreModelled(
  subject: ModelledKernel,
  config: ModelConfig,
  graph: Graph,
  walks: Walks,
): { found: ExploredDivergence | undefined; explorer: Explorer } {
  const explorer = new Explorer({
    graph,
    walks,
    model: new ModelSubject(config),
    session: {
      executor: subject,
      lockstep: { variant: "modelled", blockSize: config.blockSize, repeats: REPEATS },
      keep: () => {},
      hasRoom: false,
      waiting: 0,
      checkpointDue: false,
      complaint: () => undefined,
    },
    tell: () => {},
  });
  let found: ExploredDivergence | undefined;
  while (found === undefined && !explorer.done) found = explorer.drive(Infinity);
  return { found, explorer };
}
