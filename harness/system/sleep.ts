const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));

/**
 * Wait, with all of this thread, for so many milliseconds: where nothing else may run meanwhile, as
 * between two looks at a file.
 */
export function sleepSync(ms: number): void {
  Atomics.wait(nobodyWakes, 0, 0, ms);
}

/** Lets signals and messages through. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
