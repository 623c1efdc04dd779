/**
 * `npm run kernel-mutants -- --source DIR`: puts each seeded bug into a kernel, builds that, and
 * lets the tool look for it. Prints how soon it was found, by how much of a case; or that it was
 * not.
 *
 * The unchanged kernel comes first: where that does not conform, a finding says nothing.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { execa } from "execa";
import { UsageError } from "../../harness/case/failure.ts";
import { BuildError } from "../../harness/kernel-build/build-error.ts";
import { packageRoot } from "../../harness/host/package.ts";
import type { RunResult } from "../../harness/stored/result.ts";
import { mutants } from "./mutants.ts";
import type { Mutant } from "./mutants.ts";
import { ChangedTree } from "./tree.ts";

interface Arguments {
  source: string;
  only?: string;
  seconds: number;
  variant: string;
  seed: number;
}

const program = new Command("kernel-mutants")
  .requiredOption("--source <dir>", "a kernel tree; it is left as it is")
  .option("--only <ids>", "these, commas between them")
  .option("--seconds <n>", "for each, shared by the variants", Number, 60)
  .option("--variant <names>", "as of run", "default")
  .option("--seed <n>", "the same for each", Number, 1)
  .parse();

const cli = join(packageRoot, "dist", "ext4-conform.js");

/** The mutants to try. Throws UsageError. */
function chosen(only: string | undefined): readonly Mutant[] {
  if (only === undefined) return mutants;
  return only.split(",").map((id) => {
    const mutant = mutants.find((one) => one.id === id);
    if (mutant === undefined) throw new UsageError(`there is no mutant ${id}`);
    return mutant;
  });
}

const scratch = mkdtempSync(join(tmpdir(), "conform-mutants-"));

/** Run the tool in the kernel. Undefined where it came to no result. */
async function test(kernel: string, args: Arguments): Promise<RunResult | undefined> {
  const result = join(scratch, "result.json");
  rmSync(result, { force: true });
  const { variant, seconds, seed } = args;
  const limits = ["--variant", variant, "--seconds", String(seconds), "--seed", String(seed)];
  const files = ["--save", join(scratch, "found"), "--result", result];
  const command = [cli, "run", "--kernel", kernel, "--first", ...limits, ...files];
  const { stdout, stderr } = await execa("node", command, { reject: false });
  try {
    return JSON.parse(readFileSync(result, "utf8")) as RunResult;
  } catch {
    process.stdout.write(`${stdout}\n${stderr}\n`);
    return undefined;
  }
}

const casesOf = ({ variants }: RunResult): number =>
  variants.reduce((sum, { counts }) => sum + counts.cases, 0);

/** A row of the table: what was found, or that nothing was. */
function row(id: string, area: string, result: RunResult | undefined): string {
  const name = `${id.padEnd(30)} ${area.padEnd(16)}`;
  if (result === undefined) return `${name} no result`;
  const [first] = result.divergences;
  if (first === undefined)
    return `${name} not found      in ${casesOf(result)} cases, ${result.seconds.toFixed(0)} s`;
  const { divergence, confirmed } = first;
  const after = (result.divergedAfter ?? result.seconds).toFixed(1);
  const length = divergence.step + 1;
  const what = `${divergence.kind}${confirmed ? "" : ", not again"}`;
  return `${name} ${what.padEnd(14)} after ${after} s, case ${first.case} of ${first.variant}; ${length} operations`;
}

async function tryMutant(tree: ChangedTree, mutant: Mutant, args: Arguments): Promise<boolean> {
  const out = join(scratch, mutant.id);
  tree.change([mutant]);
  try {
    await tree.build(out);
    const result = await test(out, args);
    process.stdout.write(`${row(mutant.id, mutant.area, result)}\n`);
    rmSync(out);
    return (result?.divergences.length ?? 0) > 0;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    process.stdout.write(`${mutant.id}: ${error.message}\n`);
    return false;
  } finally {
    tree.restore([mutant]);
  }
}

async function main(args: Arguments): Promise<void> {
  const wanted = chosen(args.only);
  const tree = await ChangedTree.of(
    args.source,
    "mutants",
    mutants.map(({ file }) => file),
  );
  mkdirSync(join(scratch, "found"));
  const unchanged = join(scratch, "unchanged");
  await tree.build(unchanged);
  const control = await test(unchanged, args);
  process.stdout.write(`${row("(unchanged)", "", control)}\n`);
  if (control?.verdict !== "conforms") {
    process.stdout.write(
      "The unchanged kernel does not conform: nothing can be said of the others.\n",
    );
    process.exitCode = 1;
    return;
  }
  let found = 0;
  for (const mutant of wanted) if (await tryMutant(tree, mutant, args)) found += 1;
  process.stdout.write(`${found} of ${wanted.length} found\n`);
}

try {
  await main(program.opts<Arguments>());
} catch (error) {
  if (!(error instanceof Error)) throw error;
  process.stderr.write(`kernel-mutants: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
