/**
 * Properties under mutation testing: fewer cases, since every mutant goes through them, and no
 * shrinking, since a mutant has only to be found.
 */
import { vi } from "vitest";

/** Of the cases that a property asks for, how many it gets. */
const SHARE = Number(process.env["EXT4_CONFORM_MUTATION_SHARE"] ?? 0.05);

vi.mock("fast-check", async (importOriginal) => {
  const fc = await importOriginal<typeof import("fast-check")>();
  const assert: typeof fc.assert = (property, params) =>
    fc.assert(property as never, {
      ...(params as object),
      numRuns: Math.ceil((params?.numRuns ?? 100) * SHARE),
      endOnFailure: true,
    }) as never;
  return { ...fc, assert };
});
