/**
 * A worker: one process with one image at a time, so that a kernel that hangs a system call hangs this process and not
 * the tool. Started by the supervisor, which it talks to in messages.
 */
import { variantNamed } from "../variants.ts";
import { operations as operationsArbitrary } from "../../properties/arbitraries/operations.ts";
import { readCorpus } from "../stored/corpus.ts";
import { CASES_PER_CHUNK } from "./chunk.ts";
import { Confirmation } from "./confirm.ts";
import type { Divergence } from "../divergence.ts";
import { EnvironmentError } from "../failure.ts";
import type { OnDiskFinding } from "./kept-files.ts";
import type { Assignment, FoundDivergence, Message } from "./messages.ts";
import type { Operation } from "../operation.ts";
import { corpusDirectory } from "../package.ts";
import { whenSignalled } from "../kernel/undo.ts";
import { VariantRun } from "./variant-run.ts";

/** Milliseconds between two progress messages. */
const PROGRESS_MS = 200;

/** Cases for each variant where programs perform them and nobody says how many: some ten seconds. */
const DD_CASES = 20;

/** Milliseconds for shrinking what only a checkpoint shows: every attempt takes a fresh image. */
const SHRINK_ON_DISK_MS = 60_000;

/** Settles once everything that was sent has left this process. */
let sent = Promise.resolve();

function send(message: Message): void {
  const before = sent;
  sent = new Promise((resolve) => {
    // A supervisor that is gone is no error here: "disconnect" ends the process.
    process.send?.(message, undefined, undefined, () => resolve(before));
  });
}

/** Lets signals and messages through. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class VariantJob {
  readonly #run: VariantRun;
  readonly #assignment: Assignment;
  readonly #confirmation: Confirmation;
  /** When the last progress message was sent. */
  #told = 0;

  constructor(run: VariantRun, assignment: Assignment) {
    this.#run = run;
    this.#assignment = assignment;
    this.#confirmation = new Confirmation(
      run.variant,
      assignment.traits,
      assignment.strict,
      assignment.executor,
      () => this.#alive(),
    );
    run.onAlive = () => this.#alive();
  }

  /** Something came back from the kernel: however long shrinking takes, it does not hang. */
  #alive(): void {
    if (Date.now() - this.#told < PROGRESS_MS) return;
    this.#told = Date.now();
    send({ type: "progress", variant: this.#run.variant.name, counts: this.#run.counts });
  }

  /** Run this job's chunks until the limit or the first divergence. */
  async run(): Promise<void> {
    const { seconds, executor, job, jobs } = this.#assignment;
    const cases = this.#assignment.cases ?? (executor === "dd" ? DD_CASES : Infinity);
    const started = Date.now();
    const end = seconds === undefined ? Infinity : started + seconds * 1000;
    const variant = this.#run.variant.name;
    let chunk = job;
    let found = job === 0 && !this.#assignment.strict && (await this.#corpus());
    for (; !found && Date.now() < end; chunk += jobs) {
      const left = cases - chunk * CASES_PER_CHUNK;
      if (left <= 0) break;
      send({ type: "chunk", variant, chunk });
      found = await this.#chunk(chunk, Math.min(left, CASES_PER_CHUNK));
      await breathe();
    }
    if (!found) await this.#checkpoint(Math.max(job, chunk - jobs));
    const took = (Date.now() - started) / 1000;
    send({ type: "finished", variant, counts: this.#run.counts, seconds: took });
  }

  /** Whether a stored case showed a divergence. They hold known deviations, so a strict run leaves them out. */
  async #corpus(): Promise<boolean> {
    for (const { operations } of readCorpus(corpusDirectory)) {
      const divergence = this.#run.replay(operations);
      if (divergence === undefined) continue;
      await this.#report(-1, divergence, operations);
      return true;
    }
    return false;
  }

  /** Whether the chunk, or the checkpoint after it, showed a divergence. */
  async #chunk(chunk: number, cases: number): Promise<boolean> {
    const finding = this.#run.runChunk(chunk, cases);
    if (finding !== undefined) {
      await this.#report(finding.case, finding.divergence, finding.operations);
      return true;
    }
    return this.#run.checkpointDue ? this.#checkpoint(chunk) : false;
  }

  async #checkpoint(chunk: number): Promise<boolean> {
    const findings = await this.#run.checkpoint();
    const [first] = findings;
    if (first === undefined) return false;
    await this.#reportOnDisk(chunk, first);
    return true;
  }

  /** Find the suspect that shows it by itself, and shrink that. */
  async #reportOnDisk(chunk: number, { finding, suspects }: OnDiskFinding): Promise<void> {
    const number = chunk * CASES_PER_CHUNK;
    for (const suspect of suspects) {
      const divergence = await this.#confirmation.run(suspect);
      if (divergence === undefined) continue;
      const arbitrary = operationsArbitrary({
        variant: this.#run.variant,
        maxLength: suspect.length,
      });
      const best = await this.#confirmation.shrink(
        [...suspect],
        divergence,
        arbitrary,
        SHRINK_ON_DISK_MS,
      );
      this.#found(number, best, true, []);
      return;
    }
    const all = suspects.flat();
    const { name } = this.#run.variant;
    const kind = finding.kind === "kernel-log" ? "kernel-log" : "e2fsck";
    const message = `${finding.message} (after ${suspects.length} cases; none shows it alone)`;
    const step = Math.max(0, all.length - 1);
    this.#found(number, { variant: name, step, operations: all, kind, message }, false, []);
  }

  async #report(number: number, divergence: Divergence, operations: Operation[]): Promise<void> {
    const again = await this.#confirmation.run(operations);
    const named = again && (await this.#confirmation.named(operations));
    this.#found(number, again ?? divergence, again !== undefined, named ?? []);
  }

  #found(number: number, divergence: Divergence, confirmed: boolean, named: string[]): void {
    const variant = this.#run.variant.name;
    const found: FoundDivergence = { variant, case: number, divergence, confirmed, named };
    send({ type: "found", found });
  }
}

async function work(assignment: Assignment): Promise<void> {
  const { seed, maxLength, strict, executor, traits } = assignment;
  const options = { seed, maxLength, strict, executor };
  for (const name of assignment.variants) {
    const run = await VariantRun.open(variantNamed(name), traits, options);
    try {
      await new VariantJob(run, assignment).run();
    } finally {
      run.close();
    }
  }
}

/** Entry of the worker process: waits for its assignment, carries it out, ends. */
export function runWorker(): void {
  whenSignalled(undefined);
  // The supervisor is gone, maybe killed; "exit" listeners clean up.
  process.once("disconnect", () => process.exit());
  process.once("message", (assignment) => {
    work(assignment as Assignment)
      .catch((error: unknown) => {
        if (error instanceof EnvironmentError) {
          const { reason, message, remedy } = error;
          send({ type: "environment", reason, message, remedy });
        } else {
          const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
          send({ type: "broken", stack });
        }
      })
      // Closing the channel drops what is still in it: a finding, if it is a large one.
      .finally(() => sent)
      .finally(() => process.disconnect());
  });
}
