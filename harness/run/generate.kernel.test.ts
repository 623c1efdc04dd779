/**
 * Generating behind a stored case that diverges.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { ChangeName } from "../../model/kernels/changes.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import { probeKernel } from "../subjects/probe.ts";
import { machineLacks } from "../system/machine.ts";
import { variantNamed } from "../under-test/variants.ts";
import type { Assignment, Generate, Message } from "../workers/messages.ts";
import { SAMPLE_LIMITS } from "./findings.ts";
import { generate } from "./generate.ts";
import { Teller } from "./teller.ts";
import { VariantJob } from "./variant-job.ts";
import { VariantRun } from "./variant-run.ts";

const lacks = machineLacks();
const VARIANT = "4k-delalloc";
/** For all jobs together. */
const CASES = 512;

let traits: KernelTraits;

beforeAll(async () => {
  if (lacks === undefined) traits = await probeKernel();
});

/** The kernel, of which one thing is believed that is not so. */
const mistaken = (name: ChangeName): KernelTraits => {
  const others = traits.changes.filter((one) => one !== name);
  const shown = others.length < traits.changes.length;
  return { ...traits, changes: shown ? others : [...others, name] };
};

async function generated(name: ChangeName, fields: Partial<Assignment> = {}): Promise<Message[]> {
  const work: Generate = { kind: "generate", seed: 3, cases: CASES, maxLength: 20 };
  const assignment: Assignment = {
    traits: mistaken(name),
    strict: false,
    executor: "ffi",
    variants: [VARIANT],
    work,
    seconds: undefined,
    job: 0,
    jobs: 1,
    tellCases: false,
    first: false,
    accepted: [],
    shapes: false,
    statistics: false,
    ...fields,
  };
  const told: Message[] = [];
  const channel = { send: (message: Message) => told.push(message), listen() {}, close() {} };
  const teller = new Teller(channel, assignment, VARIANT);
  const run = await VariantRun.open(variantNamed(VARIANT), assignment, teller.hear.bind(teller));
  try {
    await generate(new VariantJob(run, assignment, teller, Infinity), work);
  } finally {
    run.close();
  }
  return told;
}

const foundIn = (told: readonly Message[]): string[] =>
  told.flatMap((one) => (one.type === "found" ? [one.found.case < 0 ? "stored" : "drawn"] : []));

const casesIn = (told: readonly Message[]): number[] =>
  told.flatMap((one) => (one.type === "finished" ? [one.counts.cases] : []));

describe.skipIf(lacks !== undefined)(
  `a kernel that no model follows ${lacks?.message ?? ""}`,
  () => {
    test("is judged by the contract behind the stored case that shows it", async () => {
      const told = await generated("zero-gap-first");
      expect(foundIn(told)).toEqual(["stored"]);
      const promised = told.flatMap((one) => (one.type === "promised" ? [one.promised] : []));
      expect(promised).toEqual([expect.stringMatching(/^the model does not follow this kernel/)]);
      expect(casesIn(told)[0]).toBeGreaterThan(CASES / 2);
    });

    test("is so for a job that does not tell of stored cases, once a drawn one diverges", async () => {
      const told = await generated("zero-gap-first", { job: 1, jobs: 2 });
      expect(foundIn(told)).toEqual(["drawn"]);
      expect(told.some(({ type }) => type === "promised")).toBe(true);
      expect(casesIn(told)[0]).toBeGreaterThan(CASES / 2);
    });

    test("ends with the stored case where one divergence is enough", async () => {
      const told = await generated("zero-gap-first", { first: true });
      expect(foundIn(told)).toEqual(["stored"]);
      expect(told.some(({ type }) => type === "promised")).toBe(false);
    });

    test("is left with what stored cases show where that breaks promises", async () => {
      const told = await generated("prepare-before-fault-in");
      expect(foundIn(told)).toEqual(Array.from({ length: SAMPLE_LIMITS.findings }, () => "stored"));
      expect(told.some((one) => one.type === "finished" && one.foundEnough === true)).toBe(true);
      expect(casesIn(told)[0]).toBeLessThan(CASES / 2);
    });

    test("has the files looked at that wait, before an image is given up", async () => {
      // Stored cases keep no file, and a strict run leaves them out.
      const told = await generated("prepare-before-fault-in", { strict: true });
      expect(foundIn(told)).toContain("drawn");
      const files = told.flatMap((one) => (one.type === "finished" ? [one.counts.files] : []));
      expect(files[0]).toBeGreaterThan(0);
    });
  },
);
