/**
 * The tests that mutation testing of the model runs (CONTRIBUTING.md), in one file: a mutant dies
 * at the first test that fails, and every further file would cost it a new worker.
 */
import { defineConfig } from "vitest/config";
import type { Plugin } from "vitest/config";

/**
 * Stryker counts which test reaches which mutant, and goes on counting when mutants are tested,
 * where nobody reads it: two thirds of the time. A Stryker that words its code differently is only
 * slower.
 */
const countsInDryRunOnly: Plugin = {
  name: "counts-in-dry-run-only",
  transform: (code) =>
    code.replace(
      "function cover() {",
      "function cover() { if (ns.activeMutant !== undefined) return;",
    ),
};

export default defineConfig({
  plugins: [countsInDryRunOnly],
  test: {
    include: ["ci/mutation.suite.ts"],
    setupFiles: ["properties/seed.ts", "ci/mutation.setup.ts"],
    testTimeout: 60_000,
  },
});
