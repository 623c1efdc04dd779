import { expect, test } from "vitest";
import { stepDeviations } from "../../model/deviations/index.ts";
import { shortWriteKeepsReservation } from "../../model/deviations/short-write-keeps-reservation.ts";
import { changesOf, changeNames, changes } from "../../model/kernels/changes.ts";
import type { Change, ChangeName } from "../../model/kernels/changes.ts";
import { kernels } from "../../model/kernels/kernels.ts";
import type { KernelFacts, KernelName } from "../../model/kernels/kernels.ts";
import { modelWith, subsets } from "../lockstep/deviations.ts";
import { shownChanges, toldBy } from "./kernel-probes.ts";
import { knownConfig } from "./kernel-traits.ts";
import { variantNamed } from "./variants.ts";

const paths = ["buffer_head", "iomap"] as const;

const blockSizes = [
  [4096, "4k-delalloc"],
  [1024, "1k-delalloc"],
] as const;

/** What the model of the kernel shows on its path, with these deviations. */
function shown(facts: KernelFacts, deviations: ReturnType<typeof stepDeviations>): ChangeName[] {
  const { readAheadPages: _, ...known } = facts;
  return blockSizes.flatMap(([blockSize, variant]) => {
    const model = modelWith(knownConfig(variantNamed(variant), known), deviations);
    return shownChanges(
      (operations) => {
        model.begin();
        return operations.map((operation, index) => model.step(operation, index));
      },
      blockSize,
      facts.path,
    );
  });
}

/** What is told of the kernel's own on its path. */
function told({ changes: all, path }: KernelFacts): ChangeName[] {
  const probed = blockSizes.flatMap(([blockSize]) => toldBy(blockSize, path));
  return probed.filter((name) => all.includes(name));
}

const names = Object.keys(kernels) as KernelName[];

// On the path of every released kernel two changes show by what a short write leaves there.
test.each(names)("%s is recognised", (name) => {
  const { path } = kernels[name];
  const leaves = path === "buffer_head" ? [shortWriteKeepsReservation] : [];
  expect(shown(kernels[name], leaves)).toEqual(told(kernels[name]));
});

test.each(names.filter((name) => kernels[name].path === "iomap"))(
  "%s is recognised on the iomap path, whichever deviations it has",
  (name) => {
    for (const deviations of subsets([...stepDeviations("iomap")], 2)) {
      expect(shown(kernels[name], deviations)).toEqual(told(kernels[name]));
    }
  },
);

test("each change is told by a probe, by its folios, or by recordings alone", () => {
  const probed = paths.flatMap((path) => blockSizes.flatMap(([size]) => toldBy(size, path)));
  const others = changeNames.filter((name) => (changes[name] as Change).recorded !== true);
  expect(probed.concat("large-folios").toSorted()).toEqual(others.toSorted());
});

test("a path shows the changes that are about it", () => {
  expect(changesOf(changeNames, "iomap").every(({ path }) => path !== "buffer_head")).toBe(true);
});
