/**
 * The seed of generated tests: EXT4_CONFORM_SEED where it is set (CI sets it from the commit), else
 * always the same, so that a test that fails once fails again.
 */
import * as fc from "fast-check";

const DEFAULT_SEED = 20_261_123;

/** 32 bits, signed. */
export const testSeed = Number(process.env["EXT4_CONFORM_SEED"] ?? DEFAULT_SEED) | 0;

fc.configureGlobal({ seed: testSeed });
