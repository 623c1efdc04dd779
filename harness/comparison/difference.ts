/**
 * What changed from one kernel to another, over the same cases: the judgement, without a word of
 * how it is printed.
 */
import type { Divergence } from "../finding/divergence.ts";
import { identityOf } from "../finding/identity.ts";
import { byVariant, speedOf } from "../run/by-variant.ts";
import { confirmedDivergences } from "../report/verdict.ts";
import type { CaseShape } from "../run/shape.ts";
import type { JobResult, SupervisorResult } from "../run/supervisor.ts";

/** A sum over the cases that both kernels ran to their end. */
export interface Change {
  baseline: number;
  candidate: number;
}

/** The one kernel or the other. */
export type Side = "baseline" | "candidate";

/** What one side has shown, and the other might have, had its variant not been left early. */
export interface OneSided {
  side: Side;
  divergence: Divergence;
}

/** One variant on both kernels. */
export interface VariantDifference {
  variant: string;
  /** Absent where it was not run: a kernel without buffered_iomap, or one that went down. */
  baseline?: JobResult;
  candidate?: JobResult;
  /** Operations a second. */
  perSecond: Change;
  /** Cases that both kernels ran without a divergence. */
  compared: number;
  /** Of them, those that ended with another map: both are right. */
  mapsChanged: number;
  /** The number of the first of those. */
  firstChanged?: number;
  /** st_blocks, units of 512 bytes. */
  blocks: Change;
  extents: Change;
}

export interface Difference {
  variants: VariantDifference[];
  /** Of the candidate alone, and of the baseline alone. */
  appeared: Divergence[];
  gone: Divergence[];
  /** Of one of them alone, as far as the other came. */
  undecided: OneSided[];
  /** Known deviations of the candidate alone, and of the baseline alone, by id. */
  deviationsAppeared: string[];
  deviationsGone: string[];
  /** Variants that only one of them ran, or could run. */
  notCompared: string[];
}

/** What both ran. What one of them cannot run, is no difference between them. */
function inCommon(baseline: SupervisorResult, candidate: SupervisorResult): SupervisorResult[] {
  const [ran, runs] = [baseline, candidate].map(
    ({ results }) => new Set(results.map(({ variant }) => variant)),
  ) as [Set<string>, Set<string>];
  const both = ({ variant }: { variant: string }): boolean => ran.has(variant) && runs.has(variant);
  return [baseline, candidate].map((result) => ({
    ...result,
    results: result.results.filter(both),
    found: result.found.filter(both),
  }));
}

/** The same for one finding, whichever kernel showed it. */
const keyOf = (divergence: Divergence): string => `${divergence.variant} ${identityOf(divergence)}`;

/** What of one is confirmed, and was not even met once on the other. */
function notIn(one: SupervisorResult, other: SupervisorResult): Divergence[] {
  const keys = new Set(other.found.map(({ divergence }) => keyOf(divergence)));
  return confirmedDivergences(one)
    .map(({ divergence }) => divergence)
    .filter((divergence) => !keys.has(keyOf(divergence)));
}

/** Whether some of the cases of a variant were not run. */
const wasLeft = (ran: JobResult | undefined): boolean =>
  ran?.foundEnough === true || ran?.timeUp === true || ran?.lost === true;

/** Sides that were left before they had run all cases of a variant. */
export const leftEarly = (variant: VariantDifference): Side[] =>
  (["baseline", "candidate"] as const).filter((side) => wasLeft(variant[side]));

/** Known deviations that the kernel shows, by its witness. */
function deviationsOf({ results }: SupervisorResult): Set<string> {
  return new Set(results.flatMap(({ counts }) => Object.keys(counts.deviations)));
}

const total = (shapes: readonly CaseShape[], of: "blocks" | "extents"): number =>
  shapes.reduce((sum, shape) => sum + shape[of], 0);

function variantDifference(
  variant: string,
  baseline: JobResult | undefined,
  candidate: JobResult | undefined,
): VariantDifference {
  const before = new Map((baseline?.shapes ?? []).map((shape) => [shape.case, shape]));
  const after = (candidate?.shapes ?? []).filter((shape) => before.has(shape.case));
  const both = after.map((shape) => before.get(shape.case)!);
  const changed = after.filter((shape) => shape.map !== before.get(shape.case)!.map);
  const numbers = changed.map((shape) => shape.case);
  return {
    variant,
    ...(baseline === undefined ? {} : { baseline }),
    ...(candidate === undefined ? {} : { candidate }),
    perSecond: {
      baseline: baseline === undefined ? 0 : speedOf(baseline),
      candidate: candidate === undefined ? 0 : speedOf(candidate),
    },
    compared: after.length,
    mapsChanged: changed.length,
    ...(numbers.length === 0 ? {} : { firstChanged: Math.min(...numbers) }),
    blocks: { baseline: total(both, "blocks"), candidate: total(after, "blocks") },
    extents: { baseline: total(both, "extents"), candidate: total(after, "extents") },
  };
}

const only = (these: ReadonlySet<string>, those: ReadonlySet<string>): string[] =>
  [...these].filter((id) => !those.has(id));

/**
 * What changed from `baseline` to `candidate`, which ran the same cases, in what both ran.
 * `leftOut`: variants that the candidate did not run because the baseline cannot.
 */
export function difference(
  baseline: SupervisorResult,
  candidate: SupervisorResult,
  leftOut: readonly string[] = [],
): Difference {
  const [ran, runs] = [baseline, candidate].map(
    ({ results }) => new Map(byVariant(results).map((result) => [result.variant, result])),
  ) as [Map<string, JobResult>, Map<string, JobResult>];
  const common = inCommon(baseline, candidate);
  const [before, after] = common as [SupervisorResult, SupervisorResult];
  const [had, has] = common.map(deviationsOf) as [Set<string>, Set<string>];
  const names = [...new Set([...ran.keys(), ...runs.keys()])];
  const variants = names.map((name) => variantDifference(name, ran.get(name), runs.get(name)));
  const isLeft = (side: Side, { variant: name }: Divergence): boolean =>
    variants.some((one) => one.variant === name && leftEarly(one).includes(side));
  const [news, olds] = [notIn(after, before), notIn(before, after)];
  const oneSided = [
    ...news.map((divergence): OneSided => ({ side: "candidate", divergence })),
    ...olds.map((divergence): OneSided => ({ side: "baseline", divergence })),
  ];
  return {
    variants,
    notCompared: [
      ...new Set([...names.filter((name) => !ran.has(name) || !runs.has(name)), ...leftOut]),
    ],
    appeared: news.filter((one) => !isLeft("baseline", one)),
    gone: olds.filter((one) => !isLeft("candidate", one)),
    undecided: oneSided.filter(({ side, divergence }) =>
      isLeft(side === "candidate" ? "baseline" : "candidate", divergence),
    ),
    deviationsAppeared: only(has, had),
    deviationsGone: only(had, has),
  };
}

/** Whether the candidate does something wrong that the baseline did not. */
export function isWorse({ appeared, deviationsAppeared }: Difference): boolean {
  return appeared.length > 0 || deviationsAppeared.length > 0;
}

/** What the candidate does wrong, and the baseline might too. */
export const maybeWorse = ({ undecided }: Difference): Divergence[] =>
  undecided.filter(({ side }) => side === "candidate").map(({ divergence }) => divergence);
