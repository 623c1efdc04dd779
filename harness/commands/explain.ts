/**
 * `ext4-conform explain ID`: what is known of a deviation, or what a promise is.
 */
import { knownDeviations } from "../../model/deviations/index.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import { UsageError } from "../case/failure.ts";
import { promises } from "../contract/promises.ts";
import type { ContractPromise } from "../contract/step/step.ts";
import { witnessesOf } from "../lockstep/deviations.ts";
import { describeOperation } from "../operations/operation.ts";
import { indented } from "../report/layout.ts";
import { severityWords } from "../report/ranked.ts";
import { columns } from "../text/say.ts";
import { noSuch } from "../text/no-such.ts";

/** Text as lines that fit. */
const told = (text: string): string[] => indented(text, columns());

/** Where a deviation shows, in words. */
export const VISIBLE: Readonly<Record<Deviation["visible"], string>> = {
  step: "after an operation",
  "page cache": "in what cachestat(2) counts, or after a power cut",
  checkpoint: "on disk",
  unmount: "in the kernel's log at unmount, and in what cachestat(2) counts before",
  "power cut": "after a power cut",
};

/** What it breaks, each in a sentence. */
const brokenBy = ({ breaks }: Deviation): ContractPromise[] =>
  promises.filter(({ id }) => breaks.includes(id));

function deviationText(deviation: Deviation): string {
  const { id, claim, reason, severity, seenIn, visible, path, witness } = deviation;
  const witnesses = witnessesOf(deviation);
  const facts = [
    ...(severity === undefined ? [] : [`at worst: ${severityWords[severity]}`]),
    `shows: ${VISIBLE[visible]}`,
    `path: ${path ?? "both"}`,
    `seen in: ${seenIn.join("; ")}`,
    `first shown on: ${witness.variant}, by the model of ${witness.kernel}`,
  ];
  const broken = brokenBy(deviation);
  return [
    id,
    "",
    ...told(claim),
    "",
    "why",
    ...told(reason),
    "",
    "shortest",
    ...witnesses.flatMap((one) => told(one.map(describeOperation).join("; "))),
    "",
    ...(broken.length === 0
      ? []
      : ["may break", ...broken.flatMap((one) => told(`${one.id}: ${one.claim}`)), ""]),
    "facts",
    ...facts.flatMap(told),
    ...told(`as a table of the model: model/deviations/${id}.ts`),
    "",
  ].join("\n");
}

function promiseText({ id, claim, severity, source }: ContractPromise): string {
  const facts = [claim, `Who promised it: ${source}.`, `Broken: ${severityWords[severity]}.`];
  return [id, "", ...facts.flatMap(told), ""].join("\n");
}

/**
 * What is known of a deviation, or of a promise, by its id.
 *
 * @throws UsageError where there is neither
 */
export function explanationOf(id: string): string {
  const deviation = knownDeviations.find((one) => one.id === id);
  if (deviation !== undefined) return deviationText(deviation);
  const promise = promises.find((one) => one.id === id);
  if (promise !== undefined) return promiseText(promise);
  const ids = [...knownDeviations, ...promises].map((one) => one.id);
  throw new UsageError(noSuch("known deviation and no promise", id, ids));
}
