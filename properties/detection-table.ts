/**
 * The table of seeded bugs in model/deviations/README.md. `npm run seeded-bugs` prints it anew.
 */
import { pathToFileURL } from "node:url";
import { checkCase } from "../harness/contract/shortest.ts";
import { Contract } from "../harness/contract/contract.ts";
import { modelWith, witnessOf } from "../harness/lockstep/deviations.ts";
import { describeOperation } from "../harness/operations/operation.ts";
import { ModelBroken } from "../model/include/assert.ts";
import type { Deviation } from "../model/deviations/index.ts";
import { seededBugs } from "../model/deviations/seeded/index.ts";
import { detect, SEEDS } from "./detection.ts";
import { settingFor } from "./settings.ts";

const CASES = 5000;

/**
 * Whether the contract, without the model, finds something wrong with the witness and an fsync
 * after it.
 */
function breaksContract(bug: Deviation): boolean {
  const { config } = settingFor(bug.witness);
  const model = modelWith(config, [bug]);
  const operations = [...witnessOf(bug), { op: "fsync" } as const];
  try {
    const observations = operations.map((operation, i) => model.step(operation, i));
    return checkCase(new Contract(config), { operations, observations }).length > 0;
  } catch (error) {
    if (error instanceof ModelBroken) return true;
    throw error;
  }
}

function row(bug: Deviation): string {
  const cases = SEEDS.map((seed) => detect(bug, seed, CASES).cases ?? Infinity);
  const witness = witnessOf(bug);
  const calls = witness.map(describeOperation).join("; ");
  const found = cases.toSorted((a, b) => a - b)[2]!;
  const contract = breaksContract(bug) ? "yes" : "";
  return `| ${bug.id} | ${found} | ${Math.max(...cases)} | ${witness.length} | ${contract} | \`${calls}\` |`;
}

/** Markdown: for each bug the cases it took, over seeds 1 to 5, and its witness. */
export function detectionTable(): string {
  return [
    "| bug | cases (median) | cases (most) | operations | contract alone | witness |",
    "|---|---|---|---|---|---|",
    ...seededBugs.map(row),
  ].join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.stdout.write(`${detectionTable()}\n`);
}
