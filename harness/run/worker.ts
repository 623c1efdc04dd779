/**
 * A worker: one process with one image at a time, so that a kernel that hangs a system call hangs
 * this process and not the tool. It does what it is asked over its channel, on the host or in a
 * guest.
 */
import { readFileSync } from "node:fs";
import { EnvironmentError, lackOf } from "../case/failure.ts";
import { readCounters } from "../subjects/gcov.ts";
import { probeKernel } from "../subjects/probe.ts";
import { whenSignalled } from "../system/undo.ts";
import { variantNamed } from "../under-test/variants.ts";
import type { Channel } from "../workers/channel.ts";
import type { Assignment, Attempt, Message, Request } from "../workers/messages.ts";
import { NOTHING_RUN } from "../stored/result.ts";
import { Confirmation } from "./confirm.ts";
import { enumerate } from "./enumerate.ts";
import { explore } from "./explore.ts";
import { generate } from "./generate.ts";
import { nowAndThen, Teller } from "./teller.ts";
import { record } from "./record.ts";
import { TimeLeft } from "./time-left.ts";
import { VariantJob } from "./variant-job.ts";
import { isMountRefused, VariantRun } from "./variant-run.ts";

/**
 * The run of a variant; what ext4 said where it mounts no fresh image of it. Throws
 * EnvironmentError where this machine cannot.
 */
async function opened(
  assignment: Assignment,
  teller: Teller,
): Promise<VariantRun | EnvironmentError> {
  const hear = teller.hear.bind(teller);
  try {
    return await VariantRun.open(variantNamed(teller.variant), assignment, hear);
  } catch (error) {
    if (!isMountRefused(error)) throw error;
    return error;
  }
}

/** Tell that ext4 mounts no fresh image. */
function tellRefused(teller: Teller, { message }: EnvironmentError): void {
  const { variant } = teller;
  const divergence = { variant, step: 0, operations: [], kind: "mount" as const, message };
  teller.tell({ type: "diverged" });
  teller.found({ case: -1, divergence, confirmed: true, named: [] });
}

function reportUnmountable(teller: Teller, refused: EnvironmentError): void {
  teller.tell({ type: "mounted", path: undefined, options: "" });
  tellRefused(teller, refused);
  teller.tell({ type: "finished", counts: NOTHING_RUN, seconds: 0 });
}

/** Do what is to be done with a variant. */
function doWork(job: VariantJob): Promise<void> {
  const { work } = job.assignment;
  switch (work.kind) {
    case "generate":
      return generate(job, work);
    case "enumerate":
      return enumerate(job, work.operations);
    case "explore":
      return explore(job, work.exploration);
  }
}

/** What has no time left is not begun: the supervisor sees what did not run by what was told of. */
async function carryOut(assignment: Assignment, channel: Channel): Promise<void> {
  const time = new TimeLeft(assignment.seconds);
  for (const [index, name] of assignment.variants.entries()) {
    if (!time.isEnough) break;
    const until = time.untilWhen(assignment.variants.length - index);
    const begun = performance.now();
    const teller = new Teller(channel, assignment, name);
    const run = await opened(assignment, teller);
    if (run instanceof EnvironmentError) {
      reportUnmountable(teller, run);
      if (assignment.first) break;
      continue;
    }
    const opening = performance.now() - begun;
    const job = new VariantJob(run, assignment, teller, until);
    let closing = begun;
    try {
      teller.mounted(run);
      await doWork(job);
      if (job.hasFound && assignment.first) break;
    } catch (error) {
      if (!isMountRefused(error)) throw error;
      tellRefused(teller, error);
      job.finished(begun);
      if (assignment.first) break;
    } finally {
      closing = performance.now();
      run.close();
    }
    time.took(opening, job.ending + performance.now() - closing);
  }
  channel.send({ type: "done" });
}

async function attempt(asked: Attempt, channel: Channel): Promise<void> {
  const { variant, operations, before, name } = asked;
  const alive = nowAndThen(() => channel.send({ type: "alive" }));
  const confirmation = new Confirmation(variant, asked, {
    tell(event) {
      if (event.type === "trying") channel.send({ variant: variant.name, ...event });
      else alive();
    },
  });
  const attempted = await confirmation.attempt(operations, before);
  const named = name && before === undefined ? await confirmation.named(operations) : undefined;
  const { divergence } = attempted;
  const asks = name && divergence !== undefined;
  const breaks = asks ? await confirmation.brokenPromise(divergence) : undefined;
  const passed = asks ? await confirmation.passedBy(divergence) : undefined;
  channel.send({ type: "attempted", ...attempted, named, breaks, passed });
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
    case "record":
      return record(request.recording, channel);
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
