import { expect, test } from "vitest";
import { knownDeviations } from "../../model/deviations/index.ts";
import { UsageError } from "../case/failure.ts";
import { promises } from "../contract/promises.ts";
import { explanationOf } from "./explain.ts";

test.each(knownDeviations.map(({ id }) => id))("%s says what, why and how bad", (id) => {
  const text = explanationOf(id);
  expect(text).toMatch(/^why\n {2}\S/m);
  expect(text).toMatch(/^shortest\n {2}\S+\(/m);
  expect(text).toMatch(/^ {2}at worst: \S/m);
  expect(text.split("\n").filter((line) => line.length > 100)).toEqual([]);
});

test("a promise says who made it", () => {
  for (const { id } of promises) expect(explanationOf(id)).toMatch(/^ {2}Who promised it: \S/m);
});

test("what it does not know it says, with what there is", () => {
  expect(() => explanationOf("no-such-thing\u001b")).toThrow(UsageError);
  expect(() => explanationOf("no-such-thing\u001b")).toThrow(
    /no known deviation and no promise "no-such-thing\?"; there are: \S.*, synced-survives/,
  );
});
