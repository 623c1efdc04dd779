/**
 * The command line: words to options.
 */
import { Command, Option } from "commander";
import { CUT_PER_MILLE, DEEP_PER_MILLE } from "../generation/weights.ts";
import { MEMORY_MIB } from "../guest/under-test.ts";
import type { CoverageOptions } from "../coverage/report.ts";
import { addHelpAfter, integer } from "./arguments.ts";
import { compare } from "./compare.ts";
import { addCompletionCommand } from "./completion.ts";
import type { CompareOptions } from "./compare.ts";
import { doctor } from "./doctor.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { EXECUTORS } from "../subjects/executor.ts";
import { UsageError } from "../case/failure.ts";
import { ALPHABETS, alphabetName } from "../explore/alphabet.ts";
import { explanationOf } from "./explain.ts";
import { explore } from "./explore.ts";
import type { ExploreOptions } from "./explore.ts";
import { FORMS, exportCase } from "./export.ts";
import type { ExportOptions } from "./export.ts";
import { kindsText, showDifferences } from "./differences.ts";
import type { DifferencesArguments } from "./differences.ts";
import { SIDE_SYNTAX } from "../differences/side.ts";
import { addKernelCommands } from "./kernel.ts";
import { generationOf } from "../operations/generation.ts";
import type { Operation } from "../operations/operation.ts";
import { ownCommand } from "../host/own-command.ts";
import { packageVersion } from "../host/package.ts";
import { readCounterexample } from "../stored/counterexample.ts";
import { merge } from "./merge.ts";
import { acceptedIn } from "./accepted.ts";
import { bisectStep } from "./bisect.ts";
import type { BisectOptions } from "./bisect.ts";
import { replay } from "./replay.ts";
import type { ReplayOptions } from "./replay.ts";
import { reportOption, reporting } from "./reports.ts";
import type { ReportArguments, Tell } from "./reports.ts";
import { HANG_SECONDS } from "../workers/link.ts";
import { run } from "./run.ts";
import type { RunOptions } from "./run.ts";
import { randomSeed } from "../run/perform.ts";
import { parseShard } from "../run/shard.ts";
import { traceCheck } from "./trace-check.ts";
import type { CheckCommandOptions } from "./trace-check.ts";
import { traceContract } from "./trace-contract.ts";
import { DEFAULT_LIMITS, MIB } from "../trace/limits.ts";
import { traceRecord } from "../trace/record.ts";
import type { RecordOptions } from "../trace/record.ts";
import { isModelled, NOT_MODELLED } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import { chooseVariants, variantNamed } from "../under-test/variants.ts";
import { complain, say } from "../text/say.ts";
import { columnsOf } from "../text/wrap.ts";
import { showVariants } from "./variants.ts";

/** Of what a program reads too. */
const jsonOption = ["--json", "as JSON, for another program", false] as const;

/** How many that is where nobody says. */
const USUAL_JOBS = "(default: 1, or a guest for each processor)";

/** What is recorded where nobody names a variant. */
const USUAL_VARIANT = "4k-delalloc";

/** Of a run that has no other limit. */
const USUAL_SECONDS = 30;

/** Given twice, both count. */
const variantOption = (description: string): Option =>
  new Option("--variant <names>", description).argParser((text, before?: Variant[]) => [
    ...new Set([...(before ?? []), ...chooseVariants(text)]),
  ]);

const seed = integer(-(2 ** 31), 2 ** 31 - 1);
const seedOption = ["--seed <n>", "same seed, same operations (default: random)", seed] as const;

const alphabets = Object.entries(ALPHABETS).map(([name, has]) => `${name}: ${has}`);
const alphabetOption = new Option("--alphabet <alphabet>", alphabets.join("; "))
  .default("blocks")
  .argParser(alphabetName);

/** The options of a command that generates cases for some variants. */
interface CaseArguments {
  variant?: Variant[];
  cases?: number;
  seed?: number;
  maxLength: number;
}

const powerCutsOption = [
  "--power-cuts <n>",
  `of a thousand cases, those with a power cut (default: ${CUT_PER_MILLE})`,
  integer(0, 1000),
] as const;

const deepTreesOption = [
  "--deep-trees <n>",
  `of a thousand cases, those with hundreds of extents (default: ${DEEP_PER_MILLE})`,
  integer(0, 1000),
] as const;

const secondKernelOption = [
  "--second-kernel <what>",
  "replay what is found on this kernel too, and say what it does",
] as const;

const acceptOption = new Option(
  "--accept <file...>",
  "findings that fail nothing, by the counterexamples that a run has saved of them",
).default([]);

/** The options of a command that can run in another kernel, less its name. */
function withGuest(command: Command): Command {
  return command
    .option("--memory <mib>", "of a guest", integer(256, 65_536), MEMORY_MIB)
    .option("--append <option...>", "for the command line of a guest's kernel", [])
    .addOption(
      new Option("--accel <name>", "of a bzImage; auto takes KVM where it works")
        .choices(["auto", "kvm", "tcg"])
        .default("auto"),
    );
}

/** The options of a command that can run in another kernel. */
function withKernel(command: Command): Command {
  const kernel = "host, or a user-mode Linux or bzImage to run in; no root needed";
  return withGuest(command.option("--kernel <what>", kernel, "host"));
}

/** How the program of the examples is started from here, where its name alone does not do it. */
function calledHere(): string {
  const words = ownCommand([]);
  return words === "ext4-conform" ? "" : `, of what is called here: ${words}`;
}

/** The program with all its commands. */
export const program = new Command("ext4-conform")
  .description(
    "Checks in lockstep with a reference model what the running kernel's ext4 does when it writes: " +
      "a real, loop-mounted file system, generated operations, a look at the file after every one.",
  )
  .version(packageVersion())
  .exitOverride()
  .configureHelp({ helpWidth: columnsOf(process.stdout) })
  .configureOutput({ outputError: (text) => complain(text) });

// Lines of 72 characters at most: man sets them in.
addHelpAfter(
  program,
  `
Examples${calledHere()}:
  ext4-conform run
      30 seconds over the default variants
  ext4-conform run --variant 4k-delalloc --cases 20000 --seed 7
      one variant, for as many cases
  ext4-conform run --strict
      a known deviation fails the run too
  ext4-conform run --kernel ./linux
      in a user-mode Linux; a bzImage works as well
  ext4-conform explore --variant 4k-delalloc
      every state of a file of two blocks, every operation there
  ext4-conform differences 4k-delalloc 4k-delalloc-iomap
      what a path, an option, a bug changes; the model alone, no kernel
  ext4-conform compare --baseline A --candidate B
      what changed from one kernel to another
  ext4-conform replay FILE
      one stored case again, on a fresh image
  ext4-conform export FILE --as c
      the same as a program for whoever does not have this one
  ext4-conform trace check FILE...
      the model against what kernels did, no kernel needed
  ext4-conform trace record --out FILE.jsonl.br
      what this kernel does, to be checked anywhere
  ext4-conform doctor
      what this machine lacks, and what to do about it

Exit status:
  0         conforms
  1         diverges
  2         a kernel does not build
  4         cannot run here
  64        wrong usage
  70        a bug of this tool
  130, 143  ended by Ctrl-C or SIGTERM

Needs root, loop devices and e2fsprogs. Only images that it made itself are ever mounted or written; everything is removed on success, failure and Ctrl-C, and after kill -9 at the next start.`,
);

withKernel(program.command("run"))
  .description("generate cases and check them; the main job")
  .argument("[file]", "instead: a counterexample that run saved, as replay does it")
  .addOption(variantOption("names, commas between them, or all (see: variants)"))
  .option("--cases <n>", "cases for each variant, besides the stored ones", integer(1, 1e9))
  .option(
    "--seconds <n>",
    "seconds in all, shared by the variants; with --cases, what is reached first ends it " +
      `(default: ${USUAL_SECONDS}, without --cases)`,
    integer(1, 1e7),
  )
  .addOption(
    new Option(
      "--enumerate <file>",
      "instead: a stored case, its writes cut at every block boundary and a byte beside it",
    ).conflicts(["cases", "seconds"]),
  )
  .option(...seedOption)
  .option("--jobs <n>", `processes, each with images of its own ${USUAL_JOBS}`, integer(1, 64))
  .option("--max-length <n>", "most operations in a case", integer(1, 10_000), 200)
  .option(...powerCutsOption)
  .option(...deepTreesOption)
  .option("--strict", "known deviations count as divergences", false)
  .option(
    "--shard <i/n>",
    "part i of n of a campaign with this seed, of this many cases (see: merge)",
  )
  .addOption(acceptOption)
  .option("--first", "end with the first variant that diverges (each job with its own)", false)
  .addOption(
    new Option("--executor <name>", "system calls in process, or programs, for a cross-check")
      .choices(EXECUTORS)
      .default("ffi"),
  )
  .option(
    "--hang <seconds>",
    `silence after which the kernel counts as hung (default: ${HANG_SECONDS.host}, in a guest ${HANG_SECONDS.guest}, or twice as long as it took to boot)`,
    integer(5, 3600),
  )
  .option(...secondKernelOption)
  .option("--statistics", "say how often each kind of operation met each state of blocks", false)
  .option(
    "--result <file>",
    "write what it came to there as it goes, as JSON; - is standard output",
  )
  .option("--coverage <folder>", "of a kernel built with --coverage: report which lines ran")
  .option("--patch <file>", "with --coverage: which of the lines that it adds ran")
  .addOption(reportOption())
  .option("--save <folder>", "where counterexamples are written", "counterexamples")
  .action(async (file: string | undefined, options: RunArguments, command: Command) => {
    if (file !== undefined) return replayInstead(file, options, command);
    const { variant, hang, coverage, patch, shard, enumerate, accept, ...others } = options;
    const { cases, seed, maxLength, powerCuts, deepTrees, report, ...rest } = others;
    const drawn = { cases, maxLength, powerCuts, deepTrees };
    const limited = cases !== undefined || enumerate !== undefined;
    if (shard !== undefined && options.seed === undefined) {
      throw new UsageError("--shard needs --seed: all shards of a campaign have the same");
    }
    const asked: RunOptions = {
      ...rest,
      shard: shard === undefined ? undefined : parseShard(shard),
      coverage: coverageOptions(coverage, patch),
      accepted: acceptedIn(accept),
      work:
        enumerate === undefined
          ? { kind: "generate", seed: seed ?? randomSeed(), ...drawn }
          : { kind: "enumerate", operations: casesToEnumerate(enumerate) },
      seconds: options.seconds ?? (limited ? undefined : USUAL_SECONDS),
      variants: variant ?? chooseVariants("default"),
      hangSeconds: hang,
    };
    const { result } = options;
    const act = (tell?: Tell): Promise<ExitStatus> => run({ ...asked, tell });
    process.exitCode = await reporting({ report, result }, "run", act);
  });

/** What a replay takes of the options of a run. */
const OF_REPLAY = ["kernel", "memory", "append", "accel", "strict", "secondKernel", "report"];

/** Replays a stored case. Throws UsageError where something is asked for that only a run does. */
async function replayInstead(file: string, asked: RunArguments, command: Command): Promise<void> {
  const other = command.options.find(
    (option) =>
      !OF_REPLAY.includes(option.attributeName()) &&
      command.getOptionValueSource(option.attributeName()) === "cli",
  );
  if (other !== undefined) {
    throw new UsageError(`a stored case is run as it is: ${other.long} is for generated ones`);
  }
  const { kernel, memory, append, accel, strict, secondKernel, report } = asked;
  const options = { kernel, memory, append, accel, strict, secondKernel, file };
  const act = (tell?: Tell): Promise<ExitStatus> => replay({ ...options, tell });
  process.exitCode = await reporting({ report }, "replay", act);
}

/** A stored case that has writes. Throws UsageError where it has none. */
function casesToEnumerate(file: string): Operation[] {
  const { operations } = readCounterexample(file);
  if (operations.some((one) => generationOf(one).cutAt !== undefined)) return operations;
  throw new UsageError(`${file} has no write that could end short`);
}

function coverageOptions(coverage?: string, patch?: string): CoverageOptions | undefined {
  if (coverage !== undefined) return { coverage, patch };
  if (patch !== undefined)
    throw new UsageError("--patch needs --coverage: a folder for the report");
  return undefined;
}

interface RunArguments
  extends
    CaseArguments,
    ReportArguments,
    Omit<RunOptions, "work" | "variants" | "shard" | "coverage" | "tell" | "accepted"> {
  accept: string[];
  powerCuts?: number;
  deepTrees?: number;
  shard?: string;
  enumerate?: string;
  hang?: number;
  coverage?: string;
  patch?: string;
}

withKernel(program.command("replay"))
  .description("run one stored case again, on a fresh image of its variant")
  .argument("<file>", "a counterexample that run saved")
  .option("--strict", "known deviations count as divergences", false)
  .option("--steps", "show the file after every operation", false)
  .option(...secondKernelOption)
  .addOption(reportOption())
  .action(async (file: string, options: ReplayArguments) => {
    const { report, ...rest } = options;
    const act = (tell?: Tell): Promise<ExitStatus> => replay({ ...rest, file, tell });
    process.exitCode = await reporting({ report }, "replay", act);
  });

interface ReplayArguments extends Omit<ReplayOptions, "file" | "tell">, ReportArguments {}

program
  .command("export")
  .description("a stored case as a program for whoever does not have this one")
  .argument("<file>", "a counterexample that run saved")
  .addOption(
    new Option(
      "--as <form>",
      Object.entries(FORMS)
        .map(([name, { help }]) => `${name}: ${help}`)
        .join("; "),
    )
      .choices(Object.keys(FORMS))
      .makeOptionMandatory(),
  )
  .option(
    "--out <file>",
    "where it is written; of fstest the test, with .out beside it, or a folder; - is standard output",
    "-",
  )
  .action((file: string, options: ExportOptions) => {
    process.exitCode = exportCase(file, options);
  });

program
  .command("merge")
  .description("the results of the shards of a campaign (run --shard --result) as that of one run")
  .argument("<files...>", "result files")
  .option("--result <file>", "write what they came to there, as JSON; - is standard output")
  .option("--save <folder>", "where counterexamples are written", "counterexamples")
  .action((files: string[], options: { result?: string; save: string }) => {
    process.exitCode = merge({ files, save: options.save, result: options.result });
  });

withKernel(program.command("explore"))
  .description("everything that a file of a few blocks can come to, and every operation there")
  .addOption(variantOption("names, commas between them, or all; those that have a model"))
  .option("--blocks <n>", "blocks that the file may have", integer(1, 8), 2)
  .option(
    "--depth <n>",
    "operations of the longest path (default: as many as it takes)",
    integer(1, 1000),
  )
  .addOption(alphabetOption)
  .option("--jobs <n>", `processes, each with images of its own ${USUAL_JOBS}`, integer(1, 64))
  .option("--shard <i/n>", "part i of n of the edges")
  .option("--picture <file>", "of the states and what leads where, .svg or .dot; for a block or so")
  .option(
    "--resume <file>",
    "store what was driven and found there; where it exists, leave those edges out",
  )
  .addOption(acceptOption)
  .option("--strict", "known deviations count as divergences", false)
  .addOption(reportOption())
  .option("--save <folder>", "where counterexamples are written", "counterexamples")
  .action(async (options: ExploreArguments) => {
    const { shard, variant, report, accept, ...rest } = options;
    const asked: ExploreOptions = {
      ...rest,
      accepted: acceptedIn(accept),
      shard: shard === undefined ? undefined : parseShard(shard),
      variants: exploredOf(variant),
    };
    const act = (tell?: Tell): Promise<ExitStatus> => explore({ ...asked, tell });
    process.exitCode = await reporting({ report }, "explore", act);
  });

/** The variants that have states; says which have none. Throws UsageError where nothing is left. */
function exploredOf(asked: readonly Variant[] | undefined): Variant[] {
  const chosen = asked ?? chooseVariants("default");
  const left = chosen.filter((variant) => !isModelled(variant)).map(({ name }) => name);
  const why = `${left.join(", ")}: ${NOT_MODELLED}, so it has no states`;
  if (left.length === chosen.length) throw new UsageError(`${why}; take another variant`);
  if (left.length > 0 && asked !== undefined) complain(`left out ${why}\n`);
  return chosen.filter(isModelled);
}

interface ExploreArguments
  extends ReportArguments, Omit<ExploreOptions, "variants" | "shard" | "tell" | "accepted"> {
  accept: string[];
  variant?: Variant[];
  shard?: string;
}

const differences = program
  .command("differences")
  .description(
    "what tells two tables of the model apart, by a shortest sequence of calls each; no kernel, no root",
  )
  .argument("<A>", `${SIDE_SYNTAX}: 4k-delalloc, 4k-nodelalloc-iomap, 4k-delalloc@6.18`)
  .argument("<B>", "the same, say 4k-delalloc-iomap+delayed-blocks-not-new")
  .option("--blocks <n>", "blocks that the file may have", integer(1, 8), 2)
  .option("--depth <n>", "operations of the longest sequence", integer(1, 1000), 3)
  .addOption(alphabetOption)
  .option("--go-on", "also from where only blocks differ: what is not found then is nowhere", false)
  .action(async (a: string, b: string, options: Omit<DifferencesArguments, "a" | "b">) => {
    process.exitCode = await showDifferences({ ...options, a, b });
  });

addHelpAfter(
  differences,
  `
The variants and deviations are those of ext4-conform variants; "-iomap" behind a variant is the path of the patch. The kernel is that of version 2 of the patch series, mounted with buffered_iomap or without; on the buffer_head path it may be 6.12, 6.18 or 7.3 as well, on both series-v1 or series-7.4-dev. Without deviations it is the kernel as it should be; "+known" is as it is.

Kinds of difference:
${kindsText()}`,
);

withGuest(program.command("compare"))
  .description("the same cases on two kernels: what changed, what got worse; for review of a patch")
  .requiredOption("--baseline <kernel>", "host, or a user-mode Linux or bzImage")
  .requiredOption("--candidate <kernel>", "the same with the change")
  .addOption(variantOption("as of run"))
  .option("--cases <n>", "for each variant", integer(1, 1e9), 1000)
  .option(...seedOption)
  .option("--jobs <n>", `processes or guests ${USUAL_JOBS}`, integer(1, 64))
  .option("--max-length <n>", "most operations in a case", integer(1, 10_000), 200)
  .option("--strict", "known deviations count as divergences", false)
  .addOption(reportOption())
  .option("--save <folder>", "where counterexamples are written", "counterexamples")
  .action(async (options: CompareArguments) => {
    const { seed = randomSeed(), variant, cases, maxLength, report, ...rest } = options;
    const variants = variant ?? chooseVariants("default");
    const work = { kind: "generate", seed, cases, maxLength } as const;
    const act = (tell?: Tell): Promise<ExitStatus> => compare({ ...rest, work, variants, tell });
    process.exitCode = await reporting({ report }, "compare", act);
  });

interface CompareArguments
  extends Omit<CompareOptions, "work" | "variants" | "tell">, CaseArguments, ReportArguments {
  cases: number;
}

withGuest(program.command("bisect-step"))
  .description("for git bisect run: status 0 good, 1 bad, 125 where it cannot tell")
  .argument("[file]", "a counterexample to replay; else cases are generated until the time is up")
  .option("--kernel <what>", "what the step has built; host, or none, is the running kernel")
  .addOption(variantOption("as of run"))
  .option("--seconds <n>", "in all, where there is no file", integer(1, 1e7), 30)
  .option("--seed <n>", "the same for every step", seed, 1)
  .option("--strict", "known deviations are bad too", false)
  .action(async (file: string | undefined, options: BisectArguments) => {
    process.exitCode = await bisectStep({
      ...options,
      file,
      variants: options.variant ?? chooseVariants("default"),
    });
  });

interface BisectArguments extends Omit<BisectOptions, "file" | "variants"> {
  variant?: Variant[];
}

const trace = program
  .command("trace")
  .description("check what a kernel did, recorded earlier; or record it");

trace
  .command("check")
  .description(
    "hold the model against every recorded step, with as few known deviations as it takes",
  )
  .argument("<files...>", "recordings, packed or not (.br, .gz)")
  .option("--strict", "a known deviation counts as a divergence", false)
  .addOption(
    new Option(
      "--deviation <ids>",
      "follow exactly these deviations, commas between them",
    ).conflicts("strict"),
  )
  .addOption(
    new Option(
      "--contract",
      "without the model: only what was promised, with the shortest sequence",
    )
      .default(false)
      .conflicts(["strict", "deviation", "case"]),
  )
  .option("--save <folder>", "with --contract: write the shortest sequences there, to be replayed")
  .option("--case <n>", "only the case with this number", integer(0, Number.MAX_SAFE_INTEGER))
  .option("--max-steps <n>", "most steps in a case", integer(1, 1e6), DEFAULT_LIMITS.steps)
  .option("--max-line <mib>", "longest line, MiB", integer(1, 256), DEFAULT_LIMITS.lineBytes / MIB)
  .addOption(reportOption())
  .action(async (files: string[], options: TraceCheckArguments) => {
    const { report, maxSteps, maxLine, contract, save, ...rest } = options;
    const limits = { steps: maxSteps, lineBytes: maxLine * MIB };
    const act = (tell?: Tell): Promise<ExitStatus> =>
      contract
        ? traceContract(files, limits, save, tell)
        : traceCheck({ ...rest, files, limits, tell });
    process.exitCode = await reporting({ report }, "trace check", act);
  });

interface TraceCheckArguments
  extends ReportArguments, Omit<CheckCommandOptions, "files" | "limits" | "tell"> {
  contract: boolean;
  save?: string;
  maxSteps: number;
  maxLine: number;
}

withKernel(trace.command("record"))
  .description("perform generated cases on a fresh image and write down what was seen")
  .requiredOption(
    "--out <file>",
    "the recording; packed where its name ends in .br or .gz; - is standard output; " +
      "a folder where there are several variants",
  )
  .addOption(variantOption("names, commas between them, or all; a file each"))
  .option("--cases <n>", "how many", integer(1, 1e7), 400)
  .option(...seedOption)
  .option("--max-length <n>", "most operations in a case", integer(1, 10_000), 200)
  .option(...powerCutsOption)
  .option(...deepTreesOption)
  .option("--force", "replace a file that is there", false)
  .option("--mount-option <option...>", "of a patched kernel, as buffered_iomap", [])
  .option("--series <text>", "the patches on top of the kernel, in words", "none")
  .action(async (options: TraceRecordArguments) => {
    const { mountOption, variant, seed = randomSeed(), ...rest } = options;
    const variants = variant ?? [variantNamed(USUAL_VARIANT)];
    process.exitCode = await traceRecord({ ...rest, seed, variants, mountOptions: mountOption });
  });

interface TraceRecordArguments extends Omit<RecordOptions, "variants" | "seed" | "mountOptions"> {
  variant?: Variant[];
  seed?: number;
  mountOption: string[];
}

program
  .command("variants")
  .description("list the file systems under test, and the known deviations")
  .option(...jsonOption)
  .action(showVariants);

program
  .command("explain")
  .description("what is known of a deviation, or what a promise of the contract is")
  .argument("<id>", "as a report or ext4-conform variants names it")
  .action((id: string) => {
    say(explanationOf(id));
  });

program
  .command("doctor")
  .description("say what this machine and kernel can do, and what is missing")
  .option(...jsonOption)
  .action(async (options: { json: boolean }) => {
    process.exitCode = await doctor(options);
  });

addKernelCommands(program);
addCompletionCommand(program);
