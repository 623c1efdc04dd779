/**
 * `ext4-conform variants`: the file systems under test, and the known deviations.
 */
import * as z from "zod";
import { variants } from "../../images/variants.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import { variantSchema } from "../case/variant.ts";
import { jsonText } from "../report/json.ts";
import { mkfsOptions } from "../subjects/mkfs.ts";
import { columns, say } from "../text/say.ts";
import { beside } from "../text/wrap.ts";

const head = { format: "ext4-conform variants", version: 1 } as const;

export const listSchema = z
  .strictObject({
    format: z.literal(head.format),
    version: z.literal(head.version),
    variants: z.array(
      z.strictObject({
        ...variantSchema.shape,
        mkfsArguments: z
          .array(z.string())
          .describe("All options of mkfs.ext4, those of every variant with them"),
      }),
    ),
    deviations: z.array(
      z.strictObject({
        id: z.string(),
        claim: z.string().describe("What the kernel does, in a sentence"),
        path: z
          .enum(["buffer_head", "iomap"])
          .exactOptional()
          .describe("The only write path that shows it; absent where both do"),
      }),
    ),
  })
  .describe("What ext4-conform can test: variants and known deviations");

type List = z.infer<typeof listSchema>;

/** All of both, as data. */
export function list(): List {
  return {
    ...head,
    variants: variants.map((variant) => ({ ...variant, mkfsArguments: mkfsOptions(variant) })),
    deviations: knownDeviations.map(({ id, claim, path }) => ({
      id,
      claim,
      ...(path !== undefined && { path }),
    })),
  };
}

function listText({ variants: all, deviations }: List): string {
  const width = Math.max(...all.map(({ name }) => name.length));
  const lines = all.map(({ name, purpose, byDefault }) =>
    beside(name, width, purpose + (byDefault ? "" : " (not by default)"), columns()),
  );
  const known = deviations.map(({ id, claim }) => `  ${id}\n    ${claim}`);
  return ["variants", ...lines, "", "known deviations", ...known, ""].join("\n");
}

/** Print them. */
export function showVariants({ json }: { json: boolean }): void {
  if (json) process.stdout.write(jsonText(list()));
  else say(listText(list()));
}
