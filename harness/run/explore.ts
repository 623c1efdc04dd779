/**
 * Exploring: everything that a small file can come to, and every operation there.
 */
import { UsageError } from "../case/failure.ts";
import { alphabetOf } from "../explore/alphabet.ts";
import { packEdges, unpackEdges } from "../explore/driven.ts";
import type { DrivenEdges } from "../explore/driven.ts";
import type { Exploration } from "../explore/exploration.ts";
import { Explorer } from "../explore/explorer.ts";
import type { ExploredDivergence, Place } from "../explore/explorer.ts";
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

/** Where edges are driven now. Throws UsageError where no model knows the states there. */
function placeOf({ session }: VariantJob["run"]): Place {
  const { model, mounted, variant } = session;
  if (model !== undefined) return { session, model };
  throw new UsageError(`${variant.name}: ${mounted.promised}, so it has no states`);
}

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
 * The edges of a graph that are a job's share, without those that were driven or have diverged
 * before, if that was of this graph.
 */
function walksOf(
  graph: Graph,
  { job, jobs }: { job: number; jobs: number },
  before: DrivenEdges | undefined,
): Walks {
  const same = before !== undefined && before.graph === graph.digest;
  return new Walks(graph, (state) => state % jobs === job, same ? unpackEdges(before) : undefined);
}

/**
 * Find out what an edge has shown; what comes next is driven on a fresh image. The shortest way
 * there does it too, unless something on the way here had a part in it.
 */
async function reportEdge(
  job: VariantJob,
  { walk, divergence, walked, shortest }: ExploredDivergence,
): Promise<void> {
  const looksInto = job.isNew(divergence) && shortest.length > 0;
  const again = looksInto ? job.run.attempt(shortest) : undefined;
  await job.handleAndRenew(
    again === undefined
      ? await job.shrinkHere(walk, walked, divergence)
      : await job.shrinkHere(walk, shortest, again),
  );
}

/**
 * Drive edges until none is left, or enough was found. What one has shown, or a checkpoint, is told
 * at once, and the others are driven on a fresh image.
 */
async function drive(
  job: VariantJob,
  explorer: Explorer,
  tellDriven: (() => void) | undefined,
): Promise<void> {
  let toldAt = Date.now();
  /** Where the image is another one by now, there. */
  const goOn = (): void => explorer.goOn(placeOf(job.run));
  /**
   * Only what was looked at on disk is not driven again by who goes on another time. What that has
   * found is told by then.
   */
  const tell = (): void => {
    tellDriven?.();
    toldAt = Date.now();
  };
  while (!explorer.done && !job.hasEnough) {
    const found = explorer.drive(PROGRESS_MS);
    job.teller.tell({ type: "exploring", explored: explorer.explored });
    await breathe();
    if (found !== undefined) {
      await reportEdge(job, found);
      // What it has left would be found on this image.
      if (job.hasEnough) break;
      goOn();
    }
    const tells = tellDriven !== undefined && Date.now() - toldAt > DRIVEN_MS;
    if (!job.run.session.checkpointDue && !tells) continue;
    await job.look(0);
    goOn();
    tell();
  }
  if (!job.hasEnough) await job.checkpoint(0, true);
  tell();
}

/**
 * Drive this job's share of the edges of a small file. Throws UsageError where no model knows it.
 */
export async function explore(job: VariantJob, what: Exploration): Promise<void> {
  const started = performance.now();
  const { run, teller, assignment } = job;
  const { session } = run;
  const place = placeOf(run);
  const graph = graphOf(session, what);
  await grow(graph, what, session, teller);
  const walks = walksOf(graph, assignment, what.before[session.variant.name]);
  const explorer = new Explorer({ graph, walks, place, tell: teller.hear.bind(teller) });
  const tellDriven = (): void => {
    const driven = packEdges(graph.digest, walks.drivenEdges, walks.divergedEdges);
    teller.tell({ type: "driven", driven });
  };
  await drive(job, explorer, what.tellsDriven ? tellDriven : undefined);
  job.finished(started, { explored: explorer.explored });
}
