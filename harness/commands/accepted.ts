/**
 * Accepted findings: counterexamples of what is known, and fails nothing.
 */
import { UsageError } from "../case/failure.ts";
import { identityOf } from "../finding/identity.ts";
import { readCounterexample } from "../stored/counterexample.ts";

function identityIn(file: string): string {
  const { divergence, operations, before } = readCounterexample(file);
  if (divergence === undefined) {
    throw new UsageError(`${file} does not say what was found; accept a file that run has saved`);
  }
  return identityOf({ ...divergence, operations, ...(before && { before }) });
}

/**
 * The files by what identifies their findings.
 *
 * @throws UsageError with one line where one is no counterexample, or says nothing of what it shows
 */
export const acceptedIn = (files: readonly string[]): Map<string, string> =>
  new Map(files.map((file) => [identityIn(file), file]));
