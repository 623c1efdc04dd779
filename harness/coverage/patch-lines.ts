/**
 * Which of a patch's lines ran, as plain data: by file and by function, in the order of the file.
 */
import * as z from "zod";
import type { FileCoverage } from "./lines.ts";
import { functionAt } from "./lines.ts";
import type { CodeLine, PatchCoverage, PatchedFile } from "./patch-coverage.ts";

const count = z.int().min(0);

const functionSchema = z.strictObject({
  name: z.string().describe("Empty where its lines are in none"),
  calls: count.exactOptional(),
  lines: z.array(z.strictObject({ number: count, text: z.string(), count })),
});

export const patchLinesSchema = z.strictObject({
  patch: z.string().describe("As the user named it"),
  added: count.describe("Lines that it adds, whatever they hold"),
  absent: count.describe("Of those, lines that are not in the source of the kernel"),
  files: z.array(z.strictObject({ name: z.string(), functions: z.array(functionSchema) })),
  unmeasured: z.array(z.string()).describe("Files of which nothing is known"),
});

export type PatchLines = z.infer<typeof patchLinesSchema>;
export type FunctionLines = z.infer<typeof functionSchema>;

/** Neighbours within one function, together. */
function functionsOf(code: readonly CodeLine[], coverage: FileCoverage): FunctionLines[] {
  const functions: FunctionLines[] = [];
  for (const line of code) {
    const name = functionAt(line.number, coverage) ?? "";
    const last = functions.at(-1);
    if (last?.name === name) {
      last.lines.push({ ...line });
      continue;
    }
    const calls = coverage.functions.get(name)?.calls;
    functions.push({ name, ...(calls !== undefined && { calls }), lines: [{ ...line }] });
  }
  return functions;
}

export function patchLines(patch: string, covered: PatchCoverage): PatchLines {
  const { added, absent, files, unmeasured } = covered;
  return {
    patch,
    added,
    absent: absent.length,
    files: files.map(({ coverage, code }: PatchedFile) => ({
      name: coverage.name,
      functions: functionsOf(code, coverage),
    })),
    unmeasured,
  };
}
