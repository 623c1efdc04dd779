import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { list } from "../harness/commands/variants.ts";
import { packageRoot } from "../harness/host/package.ts";
import { jsonText } from "../harness/report/json.ts";
import { jsonFaults } from "../harness/report/validators.ts";
import { jsonSchemas } from "./schemas.ts";

const folder = join(packageRoot, "docs", "schemas");

describe("the schemas that are published", () => {
  test.each(jsonSchemas())("%s is what the code says", (name, schema) => {
    const written: unknown = JSON.parse(readFileSync(join(folder, name), "utf8"));
    const current = JSON.stringify(written) === JSON.stringify(schema);
    expect(current ? "current" : "old: npm run build && npm run schemas").toBe("current");
  });

  test("are these, and no others", () => {
    expect(readdirSync(folder).toSorted()).toEqual(
      jsonSchemas()
        .map(([name]) => name)
        .toSorted(),
    );
  });

  test("variants --json keeps to its own", () => {
    expect(jsonFaults(jsonText(list()), "variants")).toEqual([]);
  });
});
