/**
 * Packs what is started into one file each: the command line, which else spends half a second
 * opening five hundred, and the worker, since in a user-mode Linux opening a hundred takes longer
 * than a thousand cases. Outside stay koffi, which is not JavaScript alone, and what makes HTML
 * reports, which looks for files beside itself, and Graphviz, which is large and hardly ever asked
 * for.
 */
const packed = (input, file) => ({
  input,
  platform: "node",
  // What jsonc-parser has as "main" requires its parts in a way that cannot be packed.
  resolve: { mainFields: ["module", "main"] },
  external: ["koffi", "@viz-js/viz", /^istanbul-/],
  output: { file, format: "esm", sourcemap: true, codeSplitting: false },
});

/**
 * The script in a report in HTML, which is read and put into the document
 * (harness/report/html/document.ts). It comes from the sources, since it is for a browser and no
 * part of what the program itself is made of.
 */
const inReport = {
  input: "harness/report/html/script/main.ts",
  platform: "browser",
  output: { file: "dist/report.js", format: "iife", minify: true, codeSplitting: false },
};

export default [
  packed("dist/harness/commands/cli.js", "dist/ext4-conform.js"),
  packed("dist/harness/run/worker-main.js", "dist/worker.js"),
  inReport,
];
