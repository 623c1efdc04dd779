/**
 * What a run came to, for a result file; and a run from its result, for a verdict.
 */
import { packageVersion } from "../host/package.ts";
import { allResults, confirmedDivergences, ranAnything, unaccepted } from "../report/verdict.ts";
import { Output } from "../stored/output.ts";
import { head } from "../stored/result.ts";
import type { RunResult } from "../stored/result.ts";
import { byVariant } from "../run/by-variant.ts";
import { foundTogether } from "../run/found.ts";
import { casesOf } from "../run/perform.ts";
import type { Facts, Performed } from "../run/perform.ts";
import { sayOnStandardError } from "../text/say.ts";
import { WHOLE } from "../run/shard.ts";
import { nothingRun } from "../run/supervisor.ts";
import type { SupervisorResult } from "../run/supervisor.ts";

/**
 * The place for a result; text for the user leaves standard output to it.
 *
 * @throws UsageError where it cannot be written
 */
export function placeForResult(path: string | undefined): Output | undefined {
  if (path === undefined) return undefined;
  const output = Output.open(path);
  if (output.isStandardOutput) sayOnStandardError();
  return output;
}

/** Characters of a reason that are kept. */
const MAX_REASON = 1000;

/** In a word. */
export function verdictWord(result: SupervisorResult): Exclude<RunResult["verdict"], "incomplete"> {
  if (confirmedDivergences(result).length > 0) return "diverges";
  return unaccepted(result).length > 0 ? "not-reproduced" : "conforms";
}

/** The verdict, also of what did not come to its end. */
export function verdictOf(
  result: SupervisorResult,
  endedEarly: string | undefined,
): RunResult["verdict"] {
  const word = verdictWord(result);
  const whole = endedEarly === undefined && ranAnything(result);
  return word === "conforms" && !whole ? "incomplete" : word;
}

/** What a run came to by now. `endedEarly`: what ended it before its time. */
export function resultOf(
  { result, started, seed }: Performed,
  { options, kernel, traits, commandLine }: Facts,
  endedEarly?: string,
): RunResult {
  const since = (time: number): number => (time - started) / 1000;
  const { divergedAt, found, notRun } = result;
  const { what, kind, guest, append } = kernel;
  const { work, strict, shard = WHOLE } = options;
  const cases = casesOf(work);
  const { release, machine } = traits;
  return {
    ...head,
    tool: packageVersion(),
    kernel: { what, kind, guest, append: [...append], commandLine, release, machine },
    ...(seed === undefined ? {} : { seed }),
    strict,
    ...(cases === undefined ? {} : { cases }),
    ...(shard.of === 1 ? {} : { shard }),
    seconds: since(performance.now()),
    ...(divergedAt === undefined ? {} : { divergedAfter: since(divergedAt) }),
    verdict: verdictOf(result, endedEarly),
    ...(endedEarly === undefined ? {} : { endedEarly: endedEarly.slice(0, MAX_REASON) }),
    ...(notRun.length === 0 ? {} : { notRun: [...notRun] }),
    variants: byVariant(allResults(result)).map(({ variant, counts, seconds, mounted }) => ({
      variant,
      counts,
      seconds,
      mounted,
    })),
    divergences: found,
  };
}

/** What a supervisor would have returned. */
export function asSupervised(results: readonly RunResult[]): SupervisorResult {
  return {
    ...nothingRun(),
    results: results.flatMap(({ variants }) => variants),
    found: foundTogether(results.flatMap(({ divergences }) => divergences)),
    notRun: [...new Set(results.flatMap(({ notRun = [] }) => notRun))],
  };
}
