/**
 * Known deviations as stored cases, each cut off where it first shows: what the tests of every form
 * are about.
 */
import { onIomap } from "../../images/variants.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import { kernels } from "../../model/kernels/kernels.ts";
import type { KernelName } from "../../model/kernels/kernels.ts";
import { describePages } from "../case/observation.ts";
import type { Observation } from "../case/observation.ts";
import type { DivergenceKind } from "../finding/divergence.ts";
import { compare } from "../lockstep/compare.ts";
import { modelWith } from "../lockstep/deviations.ts";
import { operationsSchema } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { knownConfig } from "../under-test/kernel-traits.ts";
import { variantNamed } from "../under-test/variants.ts";
import { mapText } from "./symptom.ts";

/** A case that is about what a deviation makes of the model. */
export interface Shown {
  name: string;
  deviation: Deviation;
  counterexample: Counterexample;
  /** What is printed, where that is one value. */
  printed: string | undefined;
}

/** How the programs print a difference of these kinds; undefined where it is not one value. */
const printed: Partial<Record<DivergenceKind, (seen: Observation) => string>> = {
  result: ({ result }) => String(result),
  i_size: ({ i_size }) => String(i_size),
  st_blocks: ({ st_blocks }) => String(st_blocks),
  reserved: ({ reserved }) => String(reserved),
  map: ({ map }) => mapText(map),
  pages: ({ pages }) => describePages(pages!),
};

/** What shows at unmount, or after a power cut, no step of the model shows. */
const atTheEnd: Partial<Record<Deviation["visible"], DivergenceKind>> = {
  unmount: "kernel-log",
  "power cut": "power-cut",
};

const base = { format: "ext4-conform counterexample", version: 1 } as const;

/** The case of a deviation, cut off where it first shows. */
function shownBy(deviation: Deviation, list: readonly object[], which: string): Shown | undefined {
  const { witness, visible, path, claim } = deviation;
  const name = `${deviation.id}${which}`;
  const all: Operation[] = operationsSchema.parse(list);
  const plain = variantNamed(witness.variant);
  const variant = path === "iomap" ? onIomap(plain) : plain;
  const kind = atTheEnd[visible];
  if (kind !== undefined) {
    const found = { step: all.length - 1, kind, message: claim };
    const counterexample = { ...base, claim, divergence: found, variant, operations: all };
    return { name, deviation, counterexample, printed: undefined };
  }
  const { freeBlocks = 0 } = witness;
  if (freeBlocks > 0) {
    // Only a file system that is full shows it: the other witness is for those.
    const full = variantNamed("4k-full-delayed");
    const kept = { step: all.length - 1, kind: "reserved", message: claim } as const;
    const counterexample = { ...base, claim, divergence: kept, variant: full, operations: all };
    return { name, deviation, counterexample, printed: "reserved  expected: 0 / seen: 1" };
  }
  const config = knownConfig(plain, kernels[witness.kernel as KernelName]);
  const { blockSize } = variant;
  const [ideal, deviated] = [modelWith(config, []), modelWith(config, [deviation])];
  for (const [step, operation] of all.entries()) {
    const [expected, seen] = [ideal.step(operation, step), deviated.step(operation, step)];
    const difference = compare(expected, seen, { blockSize }, 1);
    if (difference === undefined) continue;
    const { kind: of } = difference;
    const done = all.slice(0, step + 1);
    const divergence = { step, ...difference };
    const counterexample = { ...base, claim, divergence, variant, operations: done };
    const say = printed[of];
    const line = say && `${of}  expected: ${say(expected)} / seen: ${say(seen)}`;
    return { name, deviation, counterexample, printed: line };
  }
  return undefined;
}

/** The cases of all known deviations, by all their witnesses. */
export function shownByDeviations(): Shown[] {
  return knownDeviations.flatMap((deviation) => {
    const { operations: first, also, freeBlocks } = deviation.witness;
    const witnesses = freeBlocks === undefined ? [first, also] : [also];
    return witnesses.flatMap((list, i) => {
      const one = list && shownBy(deviation, list, i === 0 ? "" : "-also");
      return one === undefined ? [] : [one];
    });
  });
}
