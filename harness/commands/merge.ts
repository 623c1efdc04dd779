/**
 * `ext4-conform merge`: the results of the shards of a campaign as that of one run.
 */
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { colourWanted, say } from "../text/say.ts";
import { mustBeWritable } from "../stored/output.ts";
import { UsageError } from "../case/failure.ts";
import { packageVersion } from "../host/package.ts";
import { printable } from "../text/terminal.ts";
import { unaccepted, verdict } from "../report/verdict.ts";
import { byVariant } from "../run/by-variant.ts";
import { filesOf, presentFound, seedText } from "./present.ts";
import { asSupervised, placeForResult, verdictOf } from "./run-result.ts";
import { WHOLE } from "../run/shard.ts";
import type { Shard } from "../run/shard.ts";
import { readResult, writeResult } from "../stored/result.ts";
import type { RunResult } from "../stored/result.ts";

export interface MergeOptions {
  /** Result files. */
  files: readonly string[];
  /** Folder for counterexamples. */
  save: string;
  /** File for the result of all of them. */
  result: string | undefined;
}

const shardOf = ({ shard }: RunResult): Shard => shard ?? WHOLE;

/** What shards of one campaign have in common. */
const common: Readonly<Record<string, (result: RunResult) => string | number | boolean>> = {
  "version of the tool": ({ tool }) => tool,
  kernel: ({ kernel }) => `${kernel.release} ${kernel.machine}`,
  "options of the kernel": ({ kernel }) => kernel.append.join(" "),
  seed: ({ seed }) => seed ?? "",
  "number of cases": ({ cases }) => cases ?? "limited by time",
  "number of shards": (result) => shardOf(result).of,
  "--strict": ({ strict }) => strict,
};

/** Throws UsageError where two files are not shards of one campaign, or are the same one. */
function mustBelongTogether(results: readonly RunResult[], files: readonly string[]): void {
  const [first] = results;
  for (const [index, result] of results.entries()) {
    for (const [what, of] of Object.entries(common)) {
      if (of(result) === of(first!)) continue;
      const differ = `${of(first!)} and ${of(result)}`;
      throw new UsageError(
        `${files[0]} and ${files[index]} are of different campaigns: their ${what} differ, ${differ}`,
      );
    }
    const twin = results.findIndex((other) => shardOf(other).index === shardOf(result).index);
    if (twin < index) {
      const { index: number, of } = shardOf(result);
      throw new UsageError(`${files[twin]} and ${files[index]} are both shard ${number} of ${of}`);
    }
  }
}

function missingOf(results: readonly RunResult[]): number[] {
  const { of } = shardOf(results[0]!);
  const there = new Set(results.map((result) => shardOf(result).index));
  return Array.from({ length: of }, (_, i) => i + 1).filter((index) => !there.has(index));
}

/** All of them as one result. */
export function mergeResults(results: readonly RunResult[]): RunResult {
  const { format, version, tool, kernel, seed, strict, cases } = results[0]!;
  const result = asSupervised(results);
  const early = results.find(({ endedEarly }) => endedEarly !== undefined)?.endedEarly;
  const after = results.flatMap(({ divergedAfter }) => divergedAfter ?? []);
  return {
    format,
    version,
    tool,
    kernel,
    ...(seed === undefined ? {} : { seed }),
    strict,
    ...(cases === undefined ? {} : { cases }),
    seconds: Math.max(...results.map(({ seconds }) => seconds)),
    ...(after.length === 0 ? {} : { divergedAfter: Math.min(...after) }),
    verdict: verdictOf(result, early),
    ...(early === undefined ? {} : { endedEarly: early }),
    ...(result.notRun.length === 0 ? {} : { notRun: result.notRun }),
    variants: byVariant(result.results),
    divergences: result.found,
  };
}

function printHead({ kernel, seed, shard }: RunResult, there: number): void {
  const shards = `${there} of ${shard?.of ?? 1} shards`;
  const what = printable(`${kernel.release} ${kernel.machine} (${kernel.kind})`);
  say(`ext4-conform ${packageVersion()}   kernel ${what}${seedText(seed)}   ${shards}\n\n`);
}

/**
 * Merge, print what a run would have; the exit status of one, and that of a machine that cannot
 * where shards are missing. Throws UsageError.
 */
export function merge({ files, save, result: out }: MergeOptions): ExitStatus {
  const shards = files
    .map((file) => ({ file, result: readResult(file) }))
    .toSorted((a, b) => shardOf(a.result).index - shardOf(b.result).index);
  const parts = shards.map(({ result }) => result);
  mustBelongTogether(
    parts,
    shards.map(({ file }) => file),
  );
  mustBeWritable(save);
  const output = placeForResult(out);
  const merged = mergeResults(parts);
  const { kernel, seed } = merged;
  printHead(parts[0]!, parts.length);
  const all = asSupervised([merged]);
  const presented = presentFound(all, { kernel, traits: kernel, seed, options: merged }, save);
  const { cases, endedEarly } = merged;
  say(verdict(all, colourWanted(), { cases, endedEarly, files: filesOf(presented) }));
  const missing = missingOf(parts);
  if (missing.length > 0) {
    say(`INCOMPLETE: without shard ${missing.join(", ")}\n`);
  } else if (output !== undefined) writeResult(output, merged);
  if (unaccepted(all).length > 0) return exitStatus.diverges;
  const whole = merged.verdict === "conforms" && missing.length === 0;
  return whole ? exitStatus.conforms : exitStatus.cannotRun;
}
