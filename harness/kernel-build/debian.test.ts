import { expect, test } from "vitest";
import { offeredVersions } from "./debian.ts";

test("the versions that apt offers, oldest first, numbers as numbers", () => {
  const searched = [
    "linux-source-7.10 - Linux kernel source for version 7.10 with Debian patches",
    "linux-source-6.1 - Linux kernel source for version 6.1 with Debian patches",
    "linux-source-7.9 - Linux kernel source for version 7.9 with Debian patches",
    "linux-source - Linux kernel source (meta-package)",
    "linux-source-7.9-rt - something else",
    "",
  ].join("\n");
  expect(offeredVersions(searched)).toEqual(["6.1", "7.9", "7.10"]);
  expect(offeredVersions("")).toEqual([]);
});
