/**
 * A worker: one process with one image at a time, so that a kernel that hangs a system call hangs
 * this process and not the tool. It does what it is asked over its channel, on the host or in a
 * guest.
 */
import { readFileSync } from "node:fs";
import { variantNamed } from "../under-test/variants.ts";
import { operations as operationsArbitrary } from "../generation/operations.ts";
import { faultPoints } from "../generation/fault-points.ts";
import { readCorpus } from "../stored/corpus.ts";
import type { Channel } from "../workers/channel.ts";
import { CASES_PER_CHUNK, caseSource } from "./chunk.ts";
import type { CaseSource } from "./chunk.ts";
import { Confirmation } from "./confirm.ts";
import type { Divergence } from "../finding/divergence.ts";
import type { Exploration } from "../explore/exploration.ts";
import type { Explored } from "../explore/explored.ts";
import type { ExploredDivergence } from "../explore/explorer.ts";
import { tellingStates } from "../explore/own-states.ts";
import { pictureOf } from "../explore/picture.ts";
import { EnvironmentError, lackOf } from "../case/failure.ts";
import { onDiskKinds } from "./kept-files.ts";
import type { OnDiskFinding } from "./kept-files.ts";
import { readCounters } from "../subjects/gcov.ts";
import { probeKernel } from "../subjects/probe.ts";
import type {
  Assignment,
  Attempt,
  FoundDivergence,
  Generate,
  Message,
  Request,
} from "../workers/messages.ts";
import type { Operation } from "../operations/operation.ts";
import { corpusDirectory } from "../host/package.ts";
import { whenSignalled } from "../system/undo.ts";
import { packShapes, shapeOf } from "./shape.ts";
import type { CaseShape } from "./shape.ts";
import { TimeLeft } from "./time-left.ts";
import { leastSequence } from "./sequence.ts";
import { shrinkCase } from "./shrink.ts";
import { NOTHING_RUN } from "../workers/run-counts.ts";
import { VariantRun } from "./variant-run.ts";

/** Milliseconds between two progress messages. */
const PROGRESS_MS = 200;

/** Milliseconds between two messages that say which edges were driven: there may be millions. */
const DRIVEN_MS = 10_000;

/** Findings of checkpoints that no fresh image shows again, after which an exploration ends. */
const MOST_UNCONFIRMED = 3;

/**
 * Cases for each variant where programs perform them and nobody says how many: some ten seconds.
 */
const DD_CASES = 20;

/** Of so many checkpoints one looks at what a power cut would leave, which costs as much again. */
const CUT_EVERY = 8;

/** Milliseconds for shrinking a case that was not generated. */
const SHRINK_MS = 30_000;

/** Milliseconds for shrinking what only a checkpoint shows: every attempt takes a fresh image. */
const SHRINK_ON_DISK_MS = 60_000;

/** Lets signals and messages through. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class VariantJob {
  readonly #run: VariantRun;
  readonly #assignment: Assignment;
  readonly #confirmation: Confirmation;
  readonly #channel: Channel;
  /** When the last progress message was sent. */
  #told = 0;
  /** When no further case is begun, on the clock of performance.now(). */
  readonly #until: number;
  /** Milliseconds of the last checkpoint. */
  ending = 0;
  readonly #shapes: CaseShape[] = [];

  constructor(run: VariantRun, assignment: Assignment, channel: Channel, until: number) {
    this.#run = run;
    this.#until = until;
    this.#assignment = assignment;
    this.#channel = channel;
    const { name } = run.variant;
    const trying = (operations: readonly Operation[]): void => {
      if (assignment.tellCases)
        this.#send({ type: "trying", variant: name, operations: [...operations] });
    };
    this.#confirmation = new Confirmation({
      ...assignment,
      variant: run.variant,
      onAlive: () => this.#alive(),
      onCase: trying,
    });
    run.onAlive = () => this.#alive();
    run.isTimeUp = () => this.#isTimeUp;
    run.onTrying = trying;
    let current = -1;
    run.onDiverged = () => {
      // What follows are attempts to shrink it.
      current = -1;
      this.#send({ type: "diverged", variant: name });
    };
    run.onConforms = (seen) => {
      if (assignment.shapes && seen !== undefined && current >= 0) {
        this.#shapes.push(shapeOf(current, seen));
      }
    };
    run.onCase = (number, kept) => {
      current = number;
      if (!assignment.tellCases && number % CASES_PER_CHUNK !== 0) return;
      this.#send({ type: "case", variant: name, case: number, kept });
    };
  }

  #send(message: Message): void {
    this.#channel.send(message);
  }

  /** Something came back from the kernel: however long shrinking takes, it does not hang. */
  #alive(): void {
    if (Date.now() - this.#told < PROGRESS_MS) return;
    this.#told = Date.now();
    this.#send({ type: "progress", variant: this.#run.variant.name, counts: this.#run.counts });
  }

  get #isTimeUp(): boolean {
    return performance.now() >= this.#until;
  }

  /** Do what is to be done with the variant; whether there was a divergence. */
  run(): Promise<boolean> {
    const { work } = this.#assignment;
    switch (work.kind) {
      case "generate":
        return this.#generate(work);
      case "enumerate":
        return this.#enumerate(work.operations);
      case "explore":
        return this.#explore(work.exploration);
    }
  }

  /** Run this job's chunks until a limit or the first divergence; whether there was one. */
  async #generate(work: Generate): Promise<boolean> {
    const { executor, job, jobs } = this.#assignment;
    const cases = work.cases ?? (executor === "dd" ? DD_CASES : Infinity);
    const source = caseSource(this.#run.variant, work);
    const started = performance.now();
    let chunk = job;
    let found = job === 0 && !this.#assignment.strict && (await this.#corpus());
    let timeUp = false;
    for (; !found; chunk += jobs) {
      const left = cases - chunk * CASES_PER_CHUNK;
      if (left <= 0) break;
      found = await this.#chunk(source, chunk, Math.min(left, CASES_PER_CHUNK));
      await breathe();
      timeUp = this.#isTimeUp;
      if (timeUp) break;
    }
    const ending = performance.now();
    found ||= await this.#fails(Math.max(job, chunk - jobs), true);
    this.ending = performance.now() - ending;
    this.#finished(started, { timeUp });
    return found;
  }

  /**
   * Say what the variant came to that was begun at `started`, on the clock of performance.now().
   */
  #finished(started: number, more: { explored?: Explored; timeUp?: boolean } = {}): void {
    const seconds = (performance.now() - started) / 1000;
    const shapes = this.#assignment.shapes ? { shapes: packShapes(this.#shapes) } : {};
    const { counts, variant, statistics } = this.#run;
    const met = statistics === undefined ? {} : { statistics };
    const told = { ...shapes, ...met, ...more };
    this.#send({ type: "finished", variant: variant.name, counts, seconds, ...told });
  }

  /** Drive this job's share of the edges of a small file; whether there was a divergence. */
  async #explore(what: Exploration): Promise<boolean> {
    const started = performance.now();
    const variant = this.#run.variant.name;
    const graph = this.#run.graph(what);
    while (!graph.grow(PROGRESS_MS)) {
      this.#send({ type: "states", variant, states: graph.states });
      await breathe();
    }
    if (what.pictured) {
      this.#send({ type: "picture", variant, picture: pictureOf(graph, variant, what.blocks) });
    }
    if (what.compared) {
      const looks = tellingStates(graph, what.blocks, this.#run.variant.blockSize);
      if (looks !== undefined) this.#send({ type: "looks", variant, looks });
    }
    const walks = this.#run.walks(graph, this.#assignment, what.before[variant]);
    const walking = (fresh: boolean, operations: readonly Operation[]): void => {
      this.#send({ type: "walking", variant, fresh, operations: [...operations] });
    };
    const { tellCases } = this.#assignment;
    const keeping = (operations: readonly Operation[]): void => {
      this.#send({ type: "kept", variant, operations: [...operations] });
    };
    const watched = tellCases ? { onLeg: walking, onKept: keeping } : {};
    const explorer = this.#run.explorer(graph, walks, watched);
    let toldAt = Date.now();
    /**
     * After a checkpoint that found nothing: what it might still find of an edge is not asked for
     * again.
     */
    const tell = (): void => {
      if (!what.tellsDriven) return;
      toldAt = Date.now();
      this.#send({ type: "driven", variant, driven: walks.drivenEdges.pack(graph.digest) });
    };
    let found: ExploredDivergence | undefined;
    let failed = false;
    let unconfirmed = 0;
    /**
     * What a fresh image does not show again is told, and ends nothing: hours may have gone before
     * it.
     */
    const fails = async (last: boolean): Promise<boolean> => {
      const shown = await this.#checkpoint(0, last);
      if (shown === "unconfirmed") unconfirmed += 1;
      if (shown === undefined) tell();
      return shown === "confirmed" || unconfirmed === MOST_UNCONFIRMED;
    };
    while (found === undefined && !explorer.done && !failed) {
      found = explorer.drive(PROGRESS_MS);
      this.#send({ type: "exploring", variant, explored: explorer.explored });
      const tells = what.tellsDriven && Date.now() - toldAt > DRIVEN_MS;
      if (found === undefined && (this.#run.checkpointDue || tells)) {
        failed = await fails(false);
      }
      await breathe();
    }
    if (found !== undefined) await this.#reportEdge(found);
    else if (!failed) failed = await fails(true);
    this.#finished(started, { explored: explorer.explored });
    return found !== undefined || failed;
  }

  /** The shortest way there does it too, unless something on the way here had a part in it. */
  async #reportEdge({ walk, divergence, walked, shortest }: ExploredDivergence): Promise<void> {
    this.#run.onDiverged();
    const again = shortest.length === 0 ? undefined : this.#run.replay(shortest);
    const least = again ?? (await this.#shrunk(walked, divergence));
    await this.#report(walk, least, least.operations);
  }

  /** Run this job's share of the fault points of a case; whether there was a divergence. */
  async #enumerate(of: readonly Operation[]): Promise<boolean> {
    const started = performance.now();
    const faulty = await this.#faultPoints(of);
    this.#finished(started);
    return faulty;
  }

  async #faultPoints(of: readonly Operation[]): Promise<boolean> {
    const { job, jobs } = this.#assignment;
    const cases = faultPoints(of, this.#run.variant.blockSize);
    for (let number = job; number < cases.length; number += jobs) {
      const operations = cases[number]!;
      const divergence = this.#run.runListed(operations, number);
      if (divergence !== undefined) {
        this.#run.onDiverged();
        const least = await this.#shrunk(operations, divergence);
        await this.#report(number, least, least.operations);
        return true;
      }
      const chunk = Math.floor(number / CASES_PER_CHUNK);
      if (this.#run.checkpointDue && (await this.#fails(chunk))) return true;
      if (number % CASES_PER_CHUNK < jobs) await breathe();
    }
    return this.#fails(0, true);
  }

  #shrunk(operations: Operation[], divergence: Divergence): Promise<Divergence> {
    const { variant } = this.#run;
    const arbitrary = operationsArbitrary({ variant, maxLength: operations.length });
    const attempt = (tried: Operation[]): Promise<Divergence | undefined> =>
      Promise.resolve(this.#run.replay(tried));
    return shrinkCase(operations, divergence, arbitrary, attempt, SHRINK_MS);
  }

  /**
   * Whether a stored case showed a divergence. They hold known deviations, so a strict run leaves
   * them out.
   */
  async #corpus(): Promise<boolean> {
    for (const { operations } of readCorpus(corpusDirectory)) {
      if (this.#isTimeUp) return false;
      const divergence = this.#run.replay(operations);
      if (divergence === undefined) continue;
      this.#run.onDiverged();
      await this.#report(-1, divergence, operations);
      return true;
    }
    return false;
  }

  /** Whether the chunk, or the checkpoint after it, showed a divergence. */
  async #chunk(source: CaseSource, chunk: number, cases: number): Promise<boolean> {
    const finding = this.#run.runChunk(source, chunk, cases);
    if (finding !== undefined) {
      await this.#report(finding.case, finding.divergence, finding.operations);
      return true;
    }
    return this.#run.checkpointDue ? this.#fails(chunk) : false;
  }

  /** Whether a checkpoint finds something. */
  async #fails(chunk: number, last = false): Promise<boolean> {
    return (await this.#checkpoint(chunk, last)) !== undefined;
  }

  /**
   * Whether the kept files are not on disk as they must be, and whether a fresh image shows that
   * too. The last one always looks at what a power cut would leave.
   */
  async #checkpoint(chunk: number, last = false): Promise<"confirmed" | "unconfirmed" | undefined> {
    const variant = this.#run.variant.name;
    this.#send({ type: "checkpoint", variant, done: false });
    const cut = last || (this.#run.counts.checkpoints + 1) % CUT_EVERY === 0;
    const findings = await this.#run.checkpoint(cut);
    this.#send({ type: "checkpoint", variant, done: true });
    const [first] = findings.filter(({ finding }) => finding.kind !== "silence");
    if (first !== undefined) {
      this.#run.onDiverged();
      return (await this.#reportOnDisk(chunk, first)) ? "confirmed" : "unconfirmed";
    }
    for (const silence of findings) if (await this.#confirms(chunk, silence)) return "confirmed";
    this.#run.counts.transient += findings.length;
    return undefined;
  }

  /**
   * Find the suspect that shows it by itself, and shrink that; whether there is one.
   *
   * What is only silent, and warns on a fresh image, is no finding: pages can be reclaimed between
   * the last look at them and the end of the file system. Traced (6.18.44): DAMON does so every
   * five seconds; of 700 files that waited six seconds there 7 were silent, each of which had its
   * page deleted by kdamond meanwhile; of 800 that waited before the look none was.
   */
  async #confirms(chunk: number, { suspects }: OnDiskFinding): Promise<boolean> {
    const number = chunk * CASES_PER_CHUNK;
    for (const suspect of suspects) {
      const divergence = await this.#confirmation.run(suspect);
      if (divergence === undefined) continue;
      const arbitrary = operationsArbitrary({
        variant: this.#run.variant,
        maxLength: suspect.length,
      });
      const attempt = (operations: Operation[]): Promise<Divergence | undefined> =>
        this.#confirmation.run(operations);
      const best = await shrinkCase(
        [...suspect],
        divergence,
        arbitrary,
        attempt,
        SHRINK_ON_DISK_MS,
      );
      this.#found(number, best, true, []);
      return true;
    }
    return false;
  }

  /** As `#confirms`; what no suspect shows by itself is reported of all of them. */
  async #reportOnDisk(chunk: number, found: OnDiskFinding): Promise<boolean> {
    if (await this.#confirms(chunk, found)) return true;
    const { finding, suspects } = found;
    const number = chunk * CASES_PER_CHUNK;
    if (await this.#foundInSequence(number)) return true;
    const all = suspects.flat();
    const { name } = this.#run.variant;
    const kind = onDiskKinds[finding.kind];
    const message = `${finding.message} (after ${suspects.length} cases; none shows it alone)`;
    const step = Math.max(0, all.length - 1);
    this.#found(number, { variant: name, step, operations: all, kind, message }, false, []);
    return false;
  }

  async #report(number: number, divergence: Divergence, operations: Operation[]): Promise<void> {
    const again = await this.#confirmation.run(operations);
    if (again === undefined && (await this.#foundInSequence(number))) return;
    const named = again && (await this.#confirmation.named(operations));
    this.#found(number, again ?? divergence, again !== undefined, named ?? []);
  }

  /**
   * Whether a fresh image shows something when all cases are run on it that were here; then it is
   * found, and shrunk.
   */
  async #foundInSequence(number: number): Promise<boolean> {
    const { variant, history } = this.#run;
    const maxLength = Math.max(...history.map(({ operations }) => operations.length));
    const least = await leastSequence(history, {
      attempt: (operations, before) => this.#confirmation.run(operations, before),
      arbitrary: operationsArbitrary({ variant, maxLength }),
      limitMs: SHRINK_ON_DISK_MS,
    });
    if (least !== undefined) this.#found(number, least, true, []);
    return least !== undefined;
  }

  #found(number: number, divergence: Divergence, confirmed: boolean, named: string[]): void {
    const variant = this.#run.variant.name;
    const found: FoundDivergence = { variant, case: number, divergence, confirmed, named };
    this.#send({ type: "found", found });
  }
}

/** How often a fresh image that ext4 does not mount is made again before that is a finding. */
const MOUNTS = 2;

/**
 * The run of a variant; what ext4 said where it mounts no fresh image of it. Throws
 * EnvironmentError where this machine cannot.
 */
async function opened(
  name: string,
  { traits, ...options }: Assignment,
): Promise<VariantRun | EnvironmentError> {
  for (let tried = 1; ; tried++) {
    try {
      return await VariantRun.open(variantNamed(name), traits, options);
    } catch (error) {
      if (!(error instanceof EnvironmentError) || error.reason !== "ext4-refused") throw error;
      if (tried === MOUNTS) return error;
    }
  }
}

function reportUnmountable(variant: string, { message }: EnvironmentError, channel: Channel): void {
  const divergence = { variant, step: 0, operations: [], kind: "mount" as const, message };
  channel.send({ type: "mounted", variant, path: undefined, options: "" });
  channel.send({ type: "diverged", variant });
  const found = { variant, case: -1, divergence, confirmed: true, named: [] };
  channel.send({ type: "found", found });
  channel.send({ type: "finished", variant, counts: NOTHING_RUN, seconds: 0 });
}

/** What has no time left is not begun: the supervisor sees what did not run by what was told of. */
async function carryOut(assignment: Assignment, channel: Channel): Promise<void> {
  const time = new TimeLeft(assignment.seconds);
  for (const [index, name] of assignment.variants.entries()) {
    if (!time.isEnough) break;
    const until = time.untilWhen(assignment.variants.length - index);
    const begun = performance.now();
    const run = await opened(name, assignment);
    if (run instanceof EnvironmentError) {
      reportUnmountable(name, run, channel);
      if (assignment.first) break;
      continue;
    }
    const opening = performance.now() - begun;
    const job = new VariantJob(run, assignment, channel, until);
    let closing = begun;
    try {
      channel.send({ type: "mounted", variant: name, ...run.mounted });
      const found = await job.run();
      if (found && assignment.first) break;
    } finally {
      closing = performance.now();
      run.close();
    }
    time.took(opening, job.ending + performance.now() - closing);
  }
  channel.send({ type: "done" });
}

async function attempt(asked: Attempt, channel: Channel): Promise<void> {
  const { variant, operations, before } = asked;
  let told = Date.now();
  const onAlive = (): void => {
    if (Date.now() - told < PROGRESS_MS) return;
    told = Date.now();
    channel.send({ type: "alive" });
  };
  const onCase = (tried: readonly Operation[]): void => {
    channel.send({ type: "trying", variant: variant.name, operations: [...tried] });
  };
  const confirmation = new Confirmation({ ...asked, onAlive, onCase });
  const divergence = await confirmation.run(operations, before);
  const named =
    asked.name && before === undefined ? await confirmation.named(operations) : undefined;
  const { mounted, notDone, clamped, handedOver } = confirmation;
  channel.send({ type: "attempted", divergence, named, mounted, notDone, clamped, handedOver });
}

async function answer(request: Request, channel: Channel): Promise<void> {
  switch (request.type) {
    case "probe": {
      const traits = await probeKernel();
      const commandLine = readFileSync("/proc/cmdline", "utf8").trim();
      return channel.send({ type: "traits", traits, commandLine });
    }
    case "run":
      return carryOut(request.assignment, channel);
    case "attempt":
      return attempt(request.attempt, channel);
    case "count":
      for (const counters of readCounters()) channel.send({ type: "counters", ...counters });
      return channel.send({ type: "counted" });
    case "end":
      return channel.close();
  }
}

function failed(error: unknown): Message {
  const lack = error instanceof EnvironmentError ? error : lackOf(error);
  if (lack !== undefined) {
    const { reason, message, remedy } = lack;
    return { type: "environment", reason, message, remedy };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { type: "broken", stack };
}

/** Answers requests, one after the other, until it is told to end or the supervisor is gone. */
export function runWorker(channel: Channel): void {
  whenSignalled(undefined);
  channel.send({ type: "alive" });
  let busy = Promise.resolve();
  channel.listen(
    (request) => {
      busy = busy
        .then(() => answer(request, channel))
        .catch((error: unknown) => channel.send(failed(error)));
    },
    // The supervisor is gone, maybe killed; "exit" listeners clean up.
    () => process.exit(),
  );
}
