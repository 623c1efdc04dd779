/**
 * An outcome to look at, for tests and for the picture in the documents: what a run came to that
 * counted known deviations as divergences, with cases of the corpus among them. Seen on 6.18.44.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../host/package.ts";
import { outcomeSchema } from "./outcome.ts";
import type { Finding, Outcome } from "./outcome.ts";

const path = join(packageRoot, "harness", "report", "html", "example.json");

export const exampleOutcome = (): Outcome =>
  outcomeSchema.parse(JSON.parse(readFileSync(path, "utf8")));

/** A finding that nobody takes for the same. */
function another(finding: Finding, number: number): Finding {
  const { divergence } = finding;
  const message = `${divergence.message}${" again".repeat(number)}`;
  return { ...finding, divergence: { ...divergence, message } };
}

/** The same with so many findings: those that it has, over and over again. */
export function withFindings(outcome: Outcome, count: number): Outcome {
  const findings = outcome.subtests.flatMap((one) => one.findings);
  const more = Array.from({ length: count }, (_, i) =>
    another(findings[i % findings.length]!, Math.floor(i / findings.length)),
  );
  const subtests = outcome.subtests.map((one, i) => ({ ...one, findings: i === 0 ? more : [] }));
  return { ...outcome, subtests };
}
