/**
 * JSON Schemas of what the commands write for other programs, made of the schemas of the code:
 * `npm run schemas` writes them to docs/schemas/, and a test holds them to the code.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { examinedSchema } from "../harness/commands/doctor.ts";
import { listSchema } from "../harness/commands/variants.ts";
import { recordedSchema } from "../harness/finding/recorded.ts";
import { operationSchema } from "../harness/operations/operation.ts";
import { outcomeSchema } from "../harness/report/outcome.ts";
import { resultSchema } from "../harness/stored/result.ts";

/** By the name of the file. */
const published = {
  "outcome.json": outcomeSchema,
  "result.json": resultSchema.describe("What run --result writes, for merge"),
  "variants.json": listSchema,
  "doctor.json": examinedSchema,
} satisfies Record<string, z.ZodType>;

/** What is large, or comes more than once, has a name of its own. */
const named = { operation: operationSchema, observation: recordedSchema };
for (const [id, schema] of Object.entries(named)) z.globalRegistry.add(schema, { id });

/** The schemas, as they are written, each with the name of its file. */
export function jsonSchemas(): [name: string, schema: object][] {
  return Object.entries(published).map(([name, schema]) => [
    name,
    // What is written, not all that may be read.
    z.toJSONSchema(schema, { io: "output" }),
  ]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const folder = process.argv[2] ?? "docs/schemas";
  mkdirSync(folder, { recursive: true });
  for (const [name, schema] of jsonSchemas()) {
    writeFileSync(join(folder, name), `${JSON.stringify(schema, null, 2)}\n`);
  }
}
