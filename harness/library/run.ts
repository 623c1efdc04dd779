/**
 * `ext4-conform/run`: a run from a program. Options in, an outcome out, and what happens meanwhile;
 * nothing is printed.
 */
import * as z from "zod";
import { acceptedIn } from "../commands/accepted.ts";
import { Presenter, runAgain } from "../commands/present.ts";
import { findingOf, runOutcome } from "../commands/run-outcome.ts";
import { EnvironmentError, UsageError } from "../case/failure.ts";
import { MEMORY_MIB } from "../guest/under-test.ts";
import type { Finding, Outcome } from "../report/outcome.ts";
import { perform, randomSeed, variantsOf } from "../run/perform.ts";
import type { Facts, Performed } from "../run/perform.ts";
import { mountedAs } from "../run/supervisor.ts";
import { mustBeWritable } from "../stored/output.ts";
import type { FoundDivergence, RunCounts } from "../stored/result.ts";
import { parsedBy } from "../trace/schema-fault.ts";
import { chooseVariants } from "../under-test/variants.ts";
import type { Message } from "../workers/messages.ts";

export type { Finding, Outcome } from "../report/outcome.ts";

/** Those of `ext4-conform run`, with its defaults where one is absent. */
export interface RunOptions {
  /** "host", also where it is absent, or the file of a user-mode Linux or a bzImage to run in. */
  kernel?: string;
  /** MiB of a guest, 256 to 65,536. */
  memory?: number;
  /** How a bzImage is run: "auto", also where it is absent, takes KVM where it works. */
  accel?: "auto" | "kvm" | "tcg";
  /** For the command line of a guest's kernel. */
  append?: readonly string[];
  /** Names (`ext4-conform variants`); "default" and "all" are names too. */
  variants?: readonly string[];
  /** For each variant, besides the stored ones. */
  cases?: number;
  /** In all; with `cases`, what is reached first ends the run. 30 where both are absent. */
  seconds?: number;
  /** A whole number of 32 bits. The same seed makes the same cases; a random one if absent. */
  seed?: number;
  /** Most operations in a case, 1 to 10,000. */
  maxLength?: number;
  /** Of a thousand cases, those with a power cut. */
  powerCuts?: number;
  /** Of a thousand cases, those with hundreds of extents. */
  deepTrees?: number;
  /** Processes or guests, 1 to 64. */
  jobs?: number;
  /** Known deviations fail the run. */
  strict?: boolean;
  /** End with the first variant that diverges. */
  first?: boolean;
  /** Files of counterexamples that fail nothing. */
  accept?: readonly string[];
  /** Seconds of silence after which the kernel counts as hung, at least 5. */
  hangSeconds?: number;
  /** Folder where counterexamples are written; none are where it is absent. */
  save?: string;
}

/** What is told of a run while it goes on. */
export interface RunEvents {
  /** The kernel has answered: what will run. */
  onBegin?: (begun: { release: string; seed: number; variants: readonly string[] }) => void;
  /** How far a variant has come, all jobs together; a few times a second. */
  onProgress?: (progress: { variant: string; cases: number; operations: number }) => void;
  /** A finding, when it is met, and again where a fresh image was tried meanwhile. */
  onFinding?: (finding: Finding) => void;
}

const whole = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum).optional();

const words = z.array(z.string()).readonly().optional();

/** The options, and the ranges of numbers, as the command line has them. */
const optionsSchema = z.strictObject({
  kernel: z.string().optional(),
  accel: z.enum(["auto", "kvm", "tcg"]).optional(),
  append: words,
  variants: words,
  strict: z.boolean().optional(),
  first: z.boolean().optional(),
  accept: words,
  save: z.string().optional(),
  cases: whole(1, 1e9),
  seconds: z.number().positive().max(1e7).optional(),
  seed: whole(-(2 ** 31), 2 ** 31 - 1),
  maxLength: whole(1, 10_000),
  powerCuts: whole(0, 1000),
  deepTrees: whole(0, 1000),
  jobs: whole(1, 64),
  hangSeconds: whole(5, 3600),
  memory: whole(256, 65_536),
});

const MAX_LENGTH = 200;
const USUAL_SECONDS = 30;

/** Adds up what the jobs tell of a variant. */
function progressOf(tell: NonNullable<RunEvents["onProgress"]>) {
  const told = new Map<string, Map<number, RunCounts>>();
  return (message: Message, job: number): void => {
    if (message.type !== "progress" && message.type !== "finished") return;
    const { variant, counts } = message;
    const jobs = told.get(variant) ?? new Map<number, RunCounts>();
    told.set(variant, jobs.set(job, counts));
    const all = [...jobs.values()];
    const sum = (of: "cases" | "operations"): number => all.reduce((n, one) => n + one[of], 0);
    tell({ variant, cases: sum("cases"), operations: sum("operations") });
  };
}

/** Throws what kept the run from beginning. What ended it later is told in the outcome. */
function mustHaveBegun({ failure, facts }: Performed): void {
  if (failure instanceof UsageError) throw failure;
  if (facts === undefined && failure instanceof EnvironmentError) throw failure;
}

/**
 * Generate cases and check them: what it came to, as the report in JSON has it (docs/schemas).
 * `verdict` says it in a word, `subtests` have the findings of each variant, and where something
 * ended the run early, a signal or a kernel that went down, `endedEarly` says so.
 *
 * A kernel on this machine takes root; one that is named by `kernel`, a file, does not. Ctrl-C and
 * SIGTERM end the run, not the program, which gets its outcome; a second one ends both. From the
 * first run on what they leave behind is removed before the program ends by one.
 *
 * @throws an error of the name UsageError where an option makes no sense, and one of the name
 *   EnvironmentError, with what to do about it in `remedy`, where this machine cannot run it
 */
export async function run(options: RunOptions = {}, events: RunEvents = {}): Promise<Outcome> {
  const { variants = ["default"], cases, seed = randomSeed(), save, accept = [] } = options;
  const { seconds = cases === undefined ? USUAL_SECONDS : undefined } = options;
  const { kernel = "host", memory = MEMORY_MIB, accel = "auto", append = [] } = options;
  const { maxLength = MAX_LENGTH, powerCuts, deepTrees, strict = false, first = false } = options;
  const { jobs, hangSeconds } = options;
  parsedBy(optionsSchema, options, (fault) => new UsageError(fault));
  if (save !== undefined) mustBeWritable(save);
  let presenter: Presenter | undefined;
  const onFound = (found: FoundDivergence, { result }: Performed): void => {
    const presented = presenter?.present(found, mountedAs(result, found.variant));
    if (presented !== undefined) events.onFinding?.(findingOf(presented));
  };
  const performed = await perform(
    {
      kernel,
      memory,
      accel,
      append: [...append],
      work: { kind: "generate", seed, cases, maxLength, powerCuts, deepTrees },
      variants: [...new Set(variants.flatMap(chooseVariants))],
      seconds,
      strict,
      first,
      jobs,
      hangSeconds,
      statistics: true,
      accepted: acceptedIn(accept),
      quiet: true,
      onFound,
      onMessage: events.onProgress && progressOf(events.onProgress),
    },
    (facts: Facts) => {
      presenter = new Presenter(facts, save, () => {});
      const names = variantsOf(facts).map(({ name }) => name);
      events.onBegin?.({ release: facts.traits.release, seed, variants: names });
    },
  );
  mustHaveBegun(performed);
  const told = { kernel: performed.kernel, seed };
  return runOutcome("run", performed, presenter?.presented ?? [], (lost) =>
    runAgain(lost, told, { strict }),
  );
}
