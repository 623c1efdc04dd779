import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FoundDivergence } from "../stored/result.ts";
import { filesOf, Presenter } from "./present.ts";

const told = {
  kernel: { what: "host", guest: false, append: [] },
  traits: { release: "6.18.44" },
  options: { strict: false },
};
const mounted = { path: "buffer_head" as const, options: "rw" };

function found(variant: string): FoundDivergence {
  const operations = [{ op: "fsync" as const }];
  const divergence = { variant, step: 0, operations, kind: "map" as const, message: "no" };
  return { variant, case: 7, divergence, confirmed: false, named: [], met: 1 };
}

let save = "";
let printed = "";
beforeEach(() => {
  save = mkdtempSync(join(tmpdir(), "conform-present-"));
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(save, { recursive: true });
});

test("a finding that is confirmed later is presented once, as it is then", () => {
  const presenter = new Presenter(told, save);
  const once = found("4k-delalloc");
  presenter.present(once, mounted);
  Object.assign(once, { confirmed: true });
  presenter.present(once, mounted);
  expect(presenter.presented).toHaveLength(1);
  expect(readdirSync(save)).toHaveLength(1);
  expect(filesOf(presenter.presented).get(once)).toMatch(/4k-delalloc-map-[\da-f]{6}\.json$/);
});

test("what another variant has shown has a line, and a file of its own", () => {
  const presenter = new Presenter(told, save);
  for (const variant of ["4k-delalloc", "1k-delalloc"]) presenter.present(found(variant), mounted);
  expect(printed.match(/^FAIL/gm)).toHaveLength(1);
  expect(printed).toContain("\nThe same in 1k-delalloc: no\n");
  expect(readdirSync(save)).toHaveLength(2);
});
