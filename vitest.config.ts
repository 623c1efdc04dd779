import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    setupFiles: ["properties/seed.ts"],
    include: ["{model,harness,properties,images,ci}/**/*.test.ts"],
    exclude: ["dist/**", "node_modules/**"],
    // Tests wait for what must come and not for a time. This only ends one to which it does not
    // come, on a machine however busy.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    expect: { poll: { timeout: 300_000 } },
    // Files that need the kernel hold loop devices, of which a machine may have eight, and measure
    // nothing.
    maxWorkers: 2,
  },
});
