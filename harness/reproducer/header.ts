/**
 * What a program says of itself at its beginning.
 */
import { describeOperation } from "../operations/operation.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { printable } from "../text/terminal.ts";
import { operationsShown } from "./symptom.ts";
import type { Symptom } from "./symptom.ts";

/** Characters of a line of text. */
const WIDTH = 92;

/** `text` in lines of at most so many characters, words whole. */
export function wrapped(text: string, width = WIDTH): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A text from a file as one that ends no comment. */
const harmless = (text: string): string => printable(text).replaceAll("*/", "* /");

/** What it shows, where that was seen, and how it is run. */
export function headerOf(
  counterexample: Counterexample,
  { kernel: like }: Pick<Symptom, "kernel">,
  how: readonly string[],
): string[] {
  const { claim, divergence, variant, kernel } = counterexample;
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
