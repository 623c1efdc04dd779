/**
 * The example for GitLab: of the schema that GitLab has for it, and its job run here.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { withoutMounts } from "../../harness/host/built-command.ts";
import { packageRoot } from "../../harness/host/package.ts";
import { jsonFaults, junitFaults } from "../../harness/report/validators.ts";
import { machineLacks } from "../../harness/system/machine.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const example = join(packageRoot, "ci/gitlab/ext4-conform.gitlab-ci.yml");
const text = readFileSync(example, "utf8");

/** Node.js 20 has no Set.prototype.union, which gitlab-ci-local takes for granted. */
const UNION = "Set.prototype.union ??= function (more) { return new Set([...this, ...more]); }";
const NODE = ["--import", `data:text/javascript,${encodeURIComponent(UNION)}`];
const linter = join(packageRoot, "node_modules/gitlab-ci-local/dist/index.js");

let folder = "";
const report = (name: string): string => readFileSync(join(folder, name), "utf8");
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "conform-gitlab-"));
  const script = [
    "git init -q",
    "git remote add origin git@example.org:a/b.git",
    "git -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m a",
  ];
  await execa("sh", ["-ec", script.join("\n")], { cwd: folder });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What gitlab-ci-local, which has GitLab's schema, makes of a file. */
async function expanded(yaml: string) {
  writeFileSync(join(folder, ".gitlab-ci.yml"), yaml);
  const args = [...NODE, linter, "--preview"];
  return execa("node", args, { cwd: folder, reject: false, all: true });
}

describe("the example for GitLab", () => {
  test("is of GitLab's schema, which a misspelling is not", async () => {
    expect(await expanded(text)).toMatchObject({ exitCode: 0 });
    const wrong = await expanded(text.replace("exit_codes:", "exit_code:"));
    expect(wrong.exitCode).not.toBe(0);
    expect(wrong.all).toContain("allow_failure");
  });
});

interface Job {
  before_script: string[];
  script: string[];
  allow_failure: { exit_codes: number };
  artifacts: { paths: string[]; reports: { junit: string } };
}

/** Runs a job's script as a runner does, with the variables of the file, and others. */
async function run(
  through: readonly string[],
): Promise<{ exitCode: number | undefined; job: Job }> {
  const { stdout } = await expanded(text);
  const { variables, ...jobs } = parse(stdout) as { variables: object } & Record<string, Job>;
  const job = jobs["ext4-conform"]!;
  const small = {
    CI_PROJECT_DIR: folder,
    CI_COMMIT_SHA: "0123456789abcdef0123456789abcdef01234567",
    EXT4_CONFORM: packageRoot,
    EXT4_CONFORM_KERNEL: "host",
    EXT4_CONFORM_OPTIONS: "--variant 4k-nodelalloc --cases 5",
  };
  const script = [...job.before_script, ...job.script].join("\n");
  const [program, ...words] = [...through, "bash", "-eo", "pipefail", "-c", script];
  const env = { ...variables, ...small };
  const { exitCode } = await execa(program, words, { cwd: folder, env, reject: false });
  return { exitCode, job };
}

describe.skipIf(lacks !== undefined)("its job", () => {
  test("runs, and leaves what GitLab takes from it", async () => {
    const { exitCode, job } = await run([]);
    expect(exitCode).toBe(0);
    expect(await junitFaults(report(job.artifacts.reports.junit))).toEqual([]);
    expect(jsonFaults(report("report.json"), "outcome")).toEqual([]);
    for (const path of job.artifacts.paths.filter((one) => one.startsWith("report"))) {
      expect(existsSync(join(folder, path))).toBe(true);
    }
  });

  test("is a warning on a machine that cannot", async () => {
    const { exitCode, job } = await run(withoutMounts);
    expect(exitCode).toBe(job.allow_failure.exit_codes);
  });
});
