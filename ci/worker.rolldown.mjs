/**
 * Packs the worker into one file, dist/worker.js: in a user-mode Linux, opening the hundred files that it is made of takes longer
 * than a thousand cases. koffi stays outside, since it is not JavaScript alone.
 */
export default {
  input: "dist/harness/run/worker-main.js",
  platform: "node",
  external: ["koffi"],
  output: { file: "dist/worker.js", format: "esm", sourcemap: true, codeSplitting: false },
};
