/**
 * Packs what is started into one file each: the command line, which else spends half a second
 * opening five hundred, and the worker, since in a user-mode Linux opening a hundred takes longer
 * than a thousand cases. Outside stay what makes HTML reports, which looks for files beside itself,
 * Graphviz, which is large and hardly ever asked for, and what may not be given away as a part of
 * ours (third-party.mjs).
 *
 * Nothing is minified: a stack trace names the functions of the sources, and leads to a line that
 * can be read, with its comments and, further up, a line with its file. So no source maps are
 * needed, which would be twice as large as what they are of.
 */
import { shapes } from "../dist/harness/operations/shapes.js";
import { noticesOf } from "./third-party.mjs";

const OUTSIDE = ["@viz-js/viz", /^istanbul-/, "human-signals"];

const packed = (input, output, external = OUTSIDE) => ({
  input,
  platform: "node",
  // What jsonc-parser has as "main" requires its parts in a way that cannot be packed.
  resolve: { mainFields: ["module", "main"] },
  external,
  plugins: [noticesOf()],
  output: { format: "esm", codeSplitting: false, ...output },
});

/** Koffi's JavaScript; what was built of it for each machine stays outside (harness/system/koffi.ts). */
const koffi = packed(
  "node_modules/koffi/index.cjs",
  { file: "dist/koffi.cjs", format: "cjs" },
  /^@koromix\//,
);

const entries = (...names) =>
  Object.fromEntries(names.map((name) => [name, `dist/harness/library/${name}.js`]));

/** Where nobody asks for schemas they go, and this is left of zod. */
const withoutZod = {
  name: "without-zod",
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle))
      chunk.code = chunk.code.replace('import "zod";\n', "");
  },
};

/** The shapes of operations as data, which zod makes of their schemas. */
const withShapes = {
  name: "with-shapes",
  load: {
    filter: { id: /harness\/operations\/shapes[.]js$/ },
    handler: () => `export const shapes = ${JSON.stringify(shapes, undefined, 1)};`,
  },
};

/**
 * What other programs import. zod stays outside, since their types speak of it. The model is by
 * itself: it imports nothing.
 */
const library = [
  {
    ...packed(entries("model"), { dir: "dist/library" }, ["zod"]),
    plugins: [withShapes, withoutZod],
    treeshake: { manualPureFunctions: ["z", "ruled"] },
  },
  packed(entries("operations"), { dir: "dist/library" }, ["zod", "fast-check"]),
  packed(
    entries("trace", "run"),
    {
      dir: "dist/library",
      codeSplitting: true,
      chunkFileNames: "common.js",
      minifyInternalExports: false,
    },
    [...OUTSIDE, "zod"],
  ),
];

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
  packed("dist/harness/commands/main.js", { file: "dist/ext4-conform.js" }),
  packed("dist/harness/run/worker-main.js", { file: "dist/worker.js" }),
  ...library,
  koffi,
  inReport,
];
