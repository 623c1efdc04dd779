import { expect, test } from "vitest";
import { variants } from "../../images/variants.ts";
import { mkfsArguments } from "./mkfs.ts";

test("a variant's -E joins ours, since mkfs heeds only the last one", () => {
  const variant = { ...variants[0]!, mkfsOptions: ["-O", "bigalloc", "-E", "stride=4", "-m", "0"] };
  const args = mkfsArguments(variant, "/image");
  expect(args.filter((arg) => arg === "-E")).toHaveLength(1);
  expect(args[args.indexOf("-E") + 1]).toMatch(/^lazy_itable_init=0,.*,stride=4$/);
  expect(args.slice(-5)).toEqual(["-O", "bigalloc", "-m", "0", "/image"]);
});
