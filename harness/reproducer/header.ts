/**
 * What a program says of itself at its beginning.
 */
import { knownDeviations } from "../../model/deviations/index.ts";
import { describeOperation } from "../operations/operation.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { printable } from "../text/terminal.ts";
import { wrap } from "../text/wrap.ts";
import { operationsShown } from "./symptom.ts";
import type { Symptom } from "./symptom.ts";

/** Characters of a line of text. */
const WIDTH = 92;

/** `text` in lines of at most so many characters, words whole. */
export const wrapped = (text: string, width = WIDTH): string[] => wrap(text, width);

/** A text from a file as one that ends no comment. */
const harmless = (text: string): string => printable(text).replaceAll("*/", "* /");

/** What a run says of a case that shows known deviations (commands/present.ts). */
const KNOWN = /^Known: (.*)$/;

/** What a case shows, in a sentence: of known deviations what each of them says. */
export function claimOf({ claim }: Counterexample): string | undefined {
  const ids = claim === undefined ? undefined : KNOWN.exec(claim)?.[1]?.split(", ");
  const known = knownDeviations.filter(({ id }) => ids?.includes(id) === true);
  return known.length === 0 ? claim : known.map((deviation) => deviation.claim).join(" ");
}

/** What it shows, where that was seen, and how it is run. */
export function headerOf(
  counterexample: Counterexample,
  { kernel: like }: Pick<Symptom, "kernel">,
  how: readonly string[],
): string[] {
  const { divergence, variant, kernel } = counterexample;
  const claim = claimOf(counterexample);
  const seenOn = kernel === undefined ? "" : `; seen on ${kernel.release}, ${kernel.path} path`;
  const calls = operationsShown(counterexample).map(describeOperation).join("; ");
  return [
    ...(claim === undefined ? [] : wrapped(harmless(claim))),
    ...(divergence === undefined ? [] : wrapped(harmless(divergence.message))),
    ...wrapped(`${variant.name}: ${harmless(variant.purpose)}${harmless(seenOn)}`),
    ...wrapped(calls),
    "",
    ...how,
    ...(like === undefined ? [] : [`Expected is what a kernel like ${like} must do.`]),
  ];
}
