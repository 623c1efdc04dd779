/**
 * What a run came to, for a result file; and a run from its result, for a verdict.
 */
import { packageVersion } from "../package.ts";
import { confirmedDivergences } from "../report/verdict.ts";
import { head } from "../stored/result.ts";
import type { RunResult } from "../stored/result.ts";
import { byVariant } from "./by-variant.ts";
import type { Facts, Performed } from "./perform.ts";
import { WHOLE } from "./shard.ts";
import { nothingRun } from "./supervisor.ts";
import type { SupervisorResult } from "./supervisor.ts";

/** In a word. */
export function verdictWord(result: SupervisorResult): RunResult["verdict"] {
  if (confirmedDivergences(result).length > 0) return "diverges";
  return result.found.length > 0 ? "not-reproduced" : "conforms";
}

/** What a run came to that ends now. */
export function resultOf(
  { result, started, seed }: Performed,
  { options, kernel, traits, commandLine }: Facts,
): RunResult {
  const since = (time: number): number => (time - started) / 1000;
  const { divergedAt, found, results } = result;
  const { what, kind, guest, append } = kernel;
  const { cases, strict, shard = WHOLE } = options;
  const { release, machine } = traits;
  return {
    ...head,
    tool: packageVersion(),
    kernel: { what, kind, guest, append: [...append], commandLine, release, machine },
    seed,
    strict,
    ...(cases === undefined ? {} : { cases }),
    ...(shard.of === 1 ? {} : { shard }),
    seconds: since(Date.now()),
    ...(divergedAt === undefined ? {} : { divergedAfter: since(divergedAt) }),
    verdict: verdictWord(result),
    variants: byVariant(results).map(({ variant, counts, seconds, mounted }) => ({
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
    results: results.flatMap(({ variants }) =>
      variants.map(({ mounted: { path, options }, ...rest }) => ({
        ...rest,
        mounted: { path, options },
      })),
    ),
    found: results.flatMap(({ divergences }) => divergences),
  };
}
