/**
 * The argument of a report: who says that the kernel is wrong, and where a reader begins who wants
 * to know why.
 */
import { knownDeviations } from "../../model/deviations/index.ts";
import { promises } from "../contract/promises.ts";
import type { Divergence } from "../finding/divergence.ts";
import { effectsOf } from "../operations/operation.ts";
import type { Paint } from "../text/terminal.ts";
import { indented } from "./layout.ts";

/** What is known beside the divergence itself. */
export interface Known {
  named?: readonly string[] | undefined;
  breaks?: string | undefined;
}

/** Who made the promise that `words` name. */
function sourceOf(words: string): string[] {
  const broken = promises.find(({ id }) => words.includes(`: ${id}. `));
  return broken === undefined ? [] : indented(`Who promised it: ${broken.source}.`);
}

function whyLines({ kind, message }: Divergence, { named = [], breaks }: Known): string[] {
  const known = knownDeviations.filter(({ id }) => named.includes(id));
  if (known.length > 0) return known.flatMap(({ reason }) => indented(reason));
  if (kind === "contract") {
    return [...indented("It breaks a promise, whatever the model says."), ...sourceOf(message)];
  }
  if (breaks !== undefined) {
    return [...indented(`It breaks a promise too: ${breaks}`), ...sourceOf(breaks)];
  }
  if (kind === "e2fsck" || kind === "mount" || kind === "kernel-log") {
    return indented("It is the kernel, or e2fsck, that says so; no model was asked.");
  }
  if (kind === "hang" || kind === "panic") return [];
  return indented(
    "No promise is broken in this case, as far as was seen: only the model says that it is wrong, and it may be the model that is.",
  );
}

/** Lines of a report, with their headings. */
export function argumentLines(divergence: Divergence, known: Known, paint: Paint): string[] {
  const operation = divergence.operations[divergence.step];
  const why = whyLines(divergence, known);
  const where = operation && effectsOf(operation).begins;
  return [
    ...(why.length === 0 ? [] : [paint("bold", "why that is wrong"), ...why, ""]),
    ...(where === undefined
      ? []
      : [
          paint("bold", "where to begin"),
          ...indented(`kernel  ${where.kernel}   model  ${where.model}`),
          "",
        ]),
  ];
}
