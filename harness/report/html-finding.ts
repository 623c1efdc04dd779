/**
 * A finding as a page shows it, with its case in the forms for those who do not have this tool.
 */
import { UsageError } from "../case/failure.ts";
import type { Variant } from "../case/variant.ts";
import type { EarlierCase } from "../finding/divergence.ts";
import { describeOperation } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { asC } from "../reproducer/c.ts";
import { asMail } from "../reproducer/mail.ts";
import { asShell } from "../reproducer/sh.ts";
import { counterexampleOf, knownClaim } from "../stored/counterexample.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { counted } from "../text/numbers.ts";
import { capitalised } from "../text/words.ts";
import type { FindingPage, Form, Operations } from "./html/page.ts";
import { secondText } from "./ranked.ts";
import { argumentOf } from "./argument.ts";
import { stepsOf } from "./html-steps.ts";
import type { Finding, Outcome, Subtest } from "./outcome.ts";
import { blocksOf, EARLIER, titles } from "./report.ts";

const linesOf = (operations: readonly Operation[], blockSize: number): Operations["lines"] =>
  operations.map((one) => ({ text: describeOperation(one), blocks: blocksOf(one, blockSize) }));

function earlierOf(before: readonly EarlierCase[], blockSize: number): Operations[] {
  const first = Math.max(0, before.length - EARLIER);
  return before.slice(first).map(({ operations, kept }, i) => ({
    title: `Case ${first + i + 1} before it${kept === undefined ? "" : ", whose file stays"}`,
    lines: linesOf(operations, blockSize),
  }));
}

const FORMS = [
  { name: "C program", file: "case.c", write: asC },
  { name: "Shell script", file: "case.sh", write: asShell },
  { name: "Mail", file: "mail.txt", write: asMail },
] as const;

/** Whatever says that a form cannot be had, the model's own assertions too, the rest is shown. */
function formsOf(counterexample: Counterexample, release: string): Form[] {
  return FORMS.map(({ write, ...form }) => {
    try {
      return { ...form, text: write(counterexample, release) };
    } catch (error) {
      const refusal = error instanceof UsageError ? error.message : "it cannot be written";
      return { ...form, refusal };
    }
  });
}

/** What a file system has of which nobody says otherwise. */
const USUAL_BLOCK_SIZE = 4096;

/** Of a variant that is none of ours, what mkfs was told. */
function blockSizeOf({ variant, subtest: { mkfsOptions = "" } }: About): number {
  const told = /-b (\d+)/.exec(mkfsOptions)?.[1];
  return variant?.blockSize ?? (told === undefined ? USUAL_BLOCK_SIZE : Number(told));
}

export interface About {
  subtest: Subtest;
  /** Absent where it is none of ours. */
  variant: Variant | undefined;
  kernel: Outcome["kernel"];
  /** The same in other variants. */
  also: readonly Finding[];
}

function storedOf({ divergence, named }: Finding, { variant, kernel, subtest }: About) {
  if (variant === undefined || divergence.operations.length === 0) return undefined;
  const { path } = subtest;
  const known = path === "buffer_head" || path === "iomap" ? path : "buffer_head";
  return counterexampleOf(divergence, {
    variant,
    ...(kernel && { kernel: { release: kernel.release, path: known } }),
    ...knownClaim(named),
  });
}

const variantText = ({ variant, met }: Finding): string =>
  met > 1 ? `${variant} (${counted(met, "case")})` : variant;

export function findingPage(finding: Finding, about: About): FindingPage {
  const { divergence, severity, confirmed, named, command, met, accepted } = finding;
  const { passed = [], second } = finding;
  const { kind, message, operations, before = [], evidence = [], step } = divergence;
  const { kernel, subtest, also } = about;
  const blockSize = blockSizeOf(about);
  const counterexample = storedOf(finding, about);
  return {
    severity,
    title: capitalised(titles[kind]),
    message,
    facts: [
      finding.variant,
      ...(subtest.path === undefined ? [] : [`path ${subtest.path}`]),
      ...(met > 1 ? [`met in ${counted(met, "case")}`] : []),
      ...(second === undefined ? [] : [secondText(second)]),
      ...(also.length > 0 ? [`also in ${also.map(variantText).join(", ")}`] : []),
    ],
    variant: also.length === 0 ? finding.variant : `${finding.variant} and ${also.length} more`,
    confirmed,
    ...(accepted !== undefined && { accepted }),
    named,
    ...argumentOf(divergence, finding),
    earlier: earlierOf(before, blockSize),
    operations: { title: "Operations", lines: linesOf(operations, blockSize) },
    step,
    timeline: { blockSize, steps: stepsOf(divergence, blockSize) },
    evidence,
    passed,
    forms: counterexample === undefined ? [] : formsOf(counterexample, kernel?.release ?? ""),
    command,
  };
}
