import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    setupFiles: ["properties/seed.ts"],
    include: ["{model,harness,properties,images,ci}/**/*.test.ts"],
    exclude: ["dist/**", "node_modules/**"],
    // Tests on the kernel make, mount and check images; everything else takes seconds.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Files that need the kernel hold loop devices, of which a machine may have eight, and measure nothing.
    maxWorkers: 2,
  },
});
