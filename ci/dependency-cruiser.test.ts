import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterEach, expect, test } from "vitest";
import { packageRoot } from "../harness/host/package.ts";

const bin = (name: string): string => join(packageRoot, "node_modules", ".bin", name);
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** What the check says of a tree of these files, each of which imports what is said. */
async function checked(imports: Record<string, string[]>): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), "ext4-conform-imports-"));
  folders.push(root);
  for (const [file, specifiers] of Object.entries(imports)) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    const lines = specifiers.map((one) => `import type * as x from "${one}";`);
    writeFileSync(join(root, file), [...lines, "export type A = 1;", ""].join("\n"));
  }
  const config = join(packageRoot, "ci", "dependency-cruiser.mjs");
  const roots = [...new Set(Object.keys(imports).map((file) => file.split("/")[0]!))];
  const { stdout, stderr } = await execa(bin("depcruise"), ["--config", config, ...roots], {
    cwd: root,
    reject: false,
  });
  return `${stdout}${stderr}`;
}

test.each([
  [
    "an import that goes up",
    "below-harness/contract",
    { "harness/contract/a.ts": ["../lockstep/b.ts"], "harness/lockstep/b.ts": [] },
  ],
  [
    "a cycle of folders, with different files",
    "no-cycle-of-folders",
    {
      "harness/case/a.ts": ["../text/b.ts"],
      "harness/text/b.ts": [],
      "harness/text/c.ts": ["../case/d.ts"],
      "harness/case/d.ts": [],
    },
  ],
  [
    "an operation's folder that reaches for its table",
    "below-harness/operations/[a-z_]+",
    { "harness/operations/pread/a.ts": ["../operation.ts"], "harness/operations/operation.ts": [] },
  ],
  [
    "the model that reaches for the harness, deep in it",
    "model-is-pure",
    { "model/ext4/a.ts": ["../../harness/lockstep/b.ts"], "harness/lockstep/b.ts": [] },
  ],
  ["the model that reaches for Node.js", "model-is-pure", { "model/ext4/a.ts": ["node:fs"] }],
  [
    "the model that knows a seeded bug",
    "model-knows-no-deviation",
    { "model/ext4/a.ts": ["../deviations/seeded/b.ts"], "model/deviations/seeded/b.ts": [] },
  ],
  [
    "the contract that asks the model",
    "contract-is-not-the-model",
    { "harness/contract/a.ts": ["../../model/ext4/b.ts"], "model/ext4/b.ts": [] },
  ],
  [
    "the harness that needs a property",
    "harness-needs-no-properties",
    { "harness/run/a.ts": ["../../properties/b.ts"], "properties/b.ts": [] },
  ],
  [
    "a folder without a place",
    "no-room-without-a-place",
    { "harness/case/a.ts": ["../cellar/b.ts"], "harness/cellar/b.ts": [] },
  ],
])("%s fails the check", async (_, rule, imports) => {
  expect(await checked(imports as unknown as Record<string, string[]>)).toContain(`error ${rule}`);
});

test("imports that go down, and a test that reaches for anything, pass", async () => {
  const said = await checked({
    "harness/lockstep/a.ts": ["../contract/b.ts", "../../model/ext4/c.ts"],
    "harness/contract/b.ts": ["../case/d.ts"],
    "harness/case/d.ts": [],
    "harness/case/d.test.ts": ["../lockstep/a.ts"],
    "model/ext4/c.ts": [],
  });
  expect(said).toContain("no dependency violations found");
});
