/**
 * Exploring: everything that a small file can come to, and every operation there.
 */
import { UsageError } from "../case/failure.ts";
import { alphabetOf } from "../explore/alphabet.ts";
import { EdgeSet } from "../explore/driven.ts";
import type { DrivenEdges } from "../explore/driven.ts";
import type { Exploration } from "../explore/exploration.ts";
import { Explorer } from "../explore/explorer.ts";
import type { ExploredDivergence } from "../explore/explorer.ts";
import { Graph } from "../explore/graph.ts";
import { tellingStates } from "../explore/own-states.ts";
import { pictureOf } from "../explore/picture.ts";
import { Walks } from "../explore/walk.ts";
import type { Session } from "../session/session.ts";
import { PROGRESS_MS } from "./teller.ts";
import type { Teller } from "./teller.ts";
import { breathe } from "../system/sleep.ts";
import type { VariantJob } from "./variant-job.ts";

/** Milliseconds between two messages that say which edges were driven: there may be millions. */
const DRIVEN_MS = 10_000;

/** Findings of checkpoints that no fresh image shows again, after which an exploration ends. */
const MOST_UNCONFIRMED = 3;

/** The graph of a file of a few blocks, as this kernel is expected to go through it. */
function graphOf(
  { variant, config, deviations, executor }: Session,
  { blocks, depth = Infinity, alphabet }: Exploration,
): Graph {
  const letters = alphabetOf(alphabet, blocks, variant.blockSize);
  return new Graph({
    config,
    overrides: deviations.map(({ override }) => override),
    alphabet: letters.filter((operation) => executor.supports(operation)),
    most: blocks * variant.blockSize,
    depth,
  });
}

/** Let the graph grow, and tell of it what is asked for. */
async function grow(
  graph: Graph,
  what: Exploration,
  session: Session,
  teller: Teller,
): Promise<void> {
  while (!graph.grow(PROGRESS_MS)) {
    teller.tell({ type: "states", states: graph.states });
    await breathe();
  }
  const { name, blockSize } = session.variant;
  if (what.pictured) teller.tell({ type: "picture", picture: pictureOf(graph, name, what.blocks) });
  const looks = what.compared ? tellingStates(graph, what.blocks, blockSize) : undefined;
  if (looks !== undefined) teller.tell({ type: "looks", looks });
}

/**
 * The edges of a graph that are a job's share, without those that were driven before, if that was
 * of this graph.
 */
function walksOf(
  graph: Graph,
  { job, jobs }: { job: number; jobs: number },
  before: DrivenEdges | undefined,
): Walks {
  const same = before !== undefined && before.graph === graph.digest;
  const driven = same ? EdgeSet.unpack(before) : undefined;
  return new Walks(graph, (state) => state % jobs === job, driven);
}

/** The shortest way there does it too, unless something on the way here had a part in it. */
async function reportEdge(
  job: VariantJob,
  { walk, divergence, walked, shortest }: ExploredDivergence,
): Promise<void> {
  const again = shortest.length === 0 ? undefined : job.run.replay(shortest);
  await job.handle(
    again === undefined
      ? await job.shrinkHere(walk, walked, divergence)
      : job.asShrunk(walk, again),
  );
}

/** Drive edges until something is found or none is left. */
async function drive(
  job: VariantJob,
  explorer: Explorer,
  tellDriven: (() => void) | undefined,
): Promise<void> {
  let toldAt = Date.now();
  let unconfirmed = 0;
  /**
   * What a fresh image does not show again is told, and ends nothing: hours may have gone before
   * it. After a checkpoint that found nothing, what it might still find of an edge is not asked for
   * again.
   */
  const fails = async (last: boolean): Promise<boolean> => {
    const shown = await job.checkpoint(0, last);
    if (shown === "unconfirmed") unconfirmed += 1;
    if (shown === undefined && tellDriven !== undefined) {
      toldAt = Date.now();
      tellDriven();
    }
    return shown === "confirmed" || unconfirmed === MOST_UNCONFIRMED;
  };
  while (!explorer.done) {
    const found = explorer.drive(PROGRESS_MS);
    job.teller.tell({ type: "exploring", explored: explorer.explored });
    if (found !== undefined) {
      await breathe();
      return reportEdge(job, found);
    }
    const tells = tellDriven !== undefined && Date.now() - toldAt > DRIVEN_MS;
    if ((job.run.session.checkpointDue || tells) && (await fails(false))) return;
    await breathe();
  }
  await fails(true);
}

/**
 * Drive this job's share of the edges of a small file. Throws UsageError where no model knows it.
 */
export async function explore(job: VariantJob, what: Exploration): Promise<void> {
  const started = performance.now();
  const { run, teller, assignment } = job;
  const { session } = run;
  const { model, mounted, variant } = session;
  if (model === undefined) {
    throw new UsageError(`${variant.name}: ${mounted.promised}, so it has no states`);
  }
  const graph = graphOf(session, what);
  await grow(graph, what, session, teller);
  const walks = walksOf(graph, assignment, what.before[variant.name]);
  const explorer = new Explorer({ graph, walks, model, session, tell: teller.hear.bind(teller) });
  const tellDriven = (): void =>
    teller.tell({ type: "driven", driven: walks.drivenEdges.pack(graph.digest) });
  await drive(job, explorer, what.tellsDriven ? tellDriven : undefined);
  job.finished(started, { explored: explorer.explored });
}
