/**
 * A side of a comparison of two tables (differences.ts): which file system, on which kernel, by
 * which path, with which deviations.
 *
 * In words `VARIANT[@KERNEL][+DEVIATION...]`: "4k-delalloc" is on the buffer_head path,
 * "4k-delalloc-iomap" on that of the patch, and "4k-delalloc-iomap+delayed-blocks-not-new" there
 * with what the patch as posted does. "+known" is all that the kernel is known to show: without it
 * a side is the kernel as it should be. Where no kernel is named both are one kernel, that of
 * version 2 of the series, mounted without `buffered_iomap` and with it.
 */
import { BUFFERED_IOMAP } from "../../images/variants.ts";
import { knownDeviations, pathDeviations } from "../../model/deviations/index.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import { seededBugs } from "../../model/deviations/seeded/index.ts";
import { kernels } from "../../model/kernels/kernels.ts";
import type { KernelFacts } from "../../model/kernels/kernels.ts";
import type { ModelConfig, Override } from "../../model/tables.ts";
import { UsageError } from "../case/failure.ts";
import { knownConfig } from "../under-test/kernel-traits.ts";
import { didYouMean, noSuch } from "../text/no-such.ts";
import { isModelled, isRemounted, NOT_MODELLED } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import { variantNamed } from "../under-test/variants.ts";

/** A table of functions, and what it is of. */
export interface Side {
  /** As it was asked for. */
  name: string;
  /** As it was asked for, or the one that is meant where none was. */
  kernel: string;
  config: ModelConfig;
  deviations: readonly Deviation[];
}

const USUAL_KERNEL = "series-v2";

/** Kernels by the names that a command line has for them. */
const byName: ReadonlyMap<string, KernelFacts> = new Map(
  Object.entries(kernels).map(([name, facts]) => [name.replace(" ", "-"), facts]),
);

/** How a side is written, for help and errors. */
export const SIDE_SYNTAX = "VARIANT[@KERNEL][+DEVIATION...]";

function pathOf(variant: Variant): ModelConfig["path"] {
  const { name, mountOptions, journal } = variant;
  if (!mountOptions.includes(BUFFERED_IOMAP)) return "buffer_head";
  if (journal === "journal" || isRemounted(variant)) {
    throw new UsageError(
      `${name}: its files take the buffer_head path, whatever is mounted; leave "-iomap" off`,
    );
  }
  return "iomap";
}

function factsOf(path: ModelConfig["path"], kernel: string, name: string): KernelFacts {
  const offered = [...byName].filter(([, known]) => path === "buffer_head" || known.path === path);
  const [, facts] = offered.find(([known]) => known === kernel) ?? [];
  if (facts !== undefined) return { ...facts, path };
  const names = offered.map(([known]) => known);
  throw new UsageError(
    `${name}: no kernel "${kernel}" is known to have the ${path} path${didYouMean(kernel, names)}; there are: ${names.join(", ")}`,
  );
}

function deviationOf(id: string, path: ModelConfig["path"], name: string): Deviation {
  const deviation = [...knownDeviations, ...seededBugs].find((one) => one.id === id);
  if (deviation === undefined) {
    const ids = knownDeviations.map((one) => one.id);
    throw new UsageError(
      `${name}: ${noSuch("deviation", id, ids)}, and the seeded bugs of model/deviations/README.md`,
    );
  }
  if (deviation.path !== undefined && deviation.path !== path) {
    throw new UsageError(
      `${name}: ${id} is of the ${deviation.path} path, and this is on ${path}; ${
        path === "iomap" ? 'leave "-iomap" off' : 'add "-iomap" to the variant'
      }`,
    );
  }
  if (deviation.visible === "power cut") {
    throw new UsageError(
      `${name}: ${id} shows only after a power cut, which is not looked at here; use run --power-cuts`,
    );
  }
  return deviation;
}

/** All deviations that a kernel is known to show by a path, of what can be seen here. */
function knownOn(kernel: string, path: ModelConfig["path"], name: string): Deviation[] {
  const known = pathDeviations(path).filter(
    ({ visible, seenIn }) =>
      visible !== "power cut" && seenIn.some((where) => where.startsWith(kernel.replace("-", " "))),
  );
  if (known.length > 0) return known;
  throw new UsageError(
    `${name}: no deviation is known of the ${path} path of ${kernel}; leave "+known" off`,
  );
}

/**
 * The side that `text` names. Throws UsageError where there is no such variant, kernel or
 * deviation, or they do not go together, and says what there is.
 */
export function sideOf(text: string): Side {
  const [base = "", ...ids] = text.split("+");
  const [variantName = "", kernel = USUAL_KERNEL, ...more] = base.split("@");
  if (more.length > 0) throw new UsageError(`${text}: a side is ${SIDE_SYNTAX}, with one @`);
  const variant = variantNamed(variantName);
  if (!isModelled(variant)) {
    throw new UsageError(`${text}: ${NOT_MODELLED}; take another variant (see: variants)`);
  }
  const path = pathOf(variant);
  // As in a run: with read-ahead, what a page fault brings in depends on the faults before it, of
  // which a state does not know.
  const { readAheadPages: _, ...facts } = factsOf(path, kernel, text);
  const config = knownConfig(variant, facts);
  const deviations = ids.flatMap((id) =>
    id === "known" ? knownOn(kernel, path, text) : [deviationOf(id, path, text)],
  );
  return { name: text, kernel, config, deviations: [...new Set(deviations)] };
}

/** What the deviations of a side replace in its table. */
export function overridesOf({ deviations }: Side): Override[] {
  return deviations.map(({ override }) => override);
}
