/**
 * The documents that are made from the code: `npm run documents` writes them to docs/, and a test
 * holds them to it.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { format, resolveConfig } from "prettier";
import { packageRoot } from "../../harness/host/package.ts";
import { deviationDocuments } from "./deviations.ts";
import { kernelMapDocument } from "./kernel-map.ts";
import { operationsDocument } from "./operations.ts";

/** Each with its path in docs/, as it is written. */
export async function generatedDocuments(): Promise<[path: string, text: string][]> {
  const options = await resolveConfig(join(packageRoot, "README.md"));
  const all = [operationsDocument(), kernelMapDocument(), ...deviationDocuments()];
  return Promise.all(
    all.map(async ([path, text]): Promise<[string, string]> => [
      path,
      await format(text, { ...options, parser: "markdown" }),
    ]),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const folder = process.argv[2] ?? "docs";
  for (const [path, text] of await generatedDocuments()) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
