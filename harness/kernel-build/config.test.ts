import { describe, expect, test } from "vitest";
import { configGroups } from "../../images/kernel-config.ts";
import { fragmentOf, readConfig, refusedSymbols } from "./config.ts";

const groups = [
  { reason: "the one", symbols: { EXT4_FS: "y", MODULES: "n" }, required: true },
  { reason: "the other", symbols: { COUNT: "8" } },
];

describe("a fragment", () => {
  test("has each group under its reason, as scripts/kconfig reads it", () => {
    expect(fragmentOf(groups)).toBe(
      "# the one\nCONFIG_EXT4_FS=y\n# CONFIG_MODULES is not set\n\n# the other\nCONFIG_COUNT=8\n",
    );
  });

  test("is read back as it was written", () => {
    expect(Object.fromEntries(readConfig(fragmentOf(groups)))).toEqual({
      EXT4_FS: "y",
      MODULES: "n",
      COUNT: "8",
    });
  });

  test.each(["um", "x86_64"] as const)(
    "of %s asks for nothing twice with different values",
    (arch) => {
      const asked = configGroups(arch, true).flatMap(({ symbols }) => Object.entries(symbols));
      const values = new Map<string, string>();
      for (const [name, value] of asked) {
        expect([name, values.get(name) ?? value]).toEqual([name, value]);
        values.set(name, value);
      }
      expect(values.get("EXT4_FS")).toBe("y");
      expect(values.get("GCOV_KERNEL")).toBe("y");
    },
  );
});

describe("what came out of a configuration", () => {
  test("what is off where it should be is not missed, whether it is said or not", () => {
    expect(refusedSymbols(groups, "CONFIG_EXT4_FS=y\nCONFIG_COUNT=8\n")).toEqual([]);
  });

  test("what was dropped or has another value is told, with whether it matters", () => {
    const refused = refusedSymbols(groups, "CONFIG_EXT4_FS=m\nCONFIG_MODULES=y\n");
    expect(refused.map(({ name, required }) => [name, required])).toEqual([
      ["EXT4_FS", true],
      ["MODULES", true],
      ["COUNT", false],
    ]);
  });
});
