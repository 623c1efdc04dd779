/**
 * docs/deviations/: a page for each known deviation, and an index. The pictures are those of the
 * model with the deviation, which stands in for the kernel, beside the model without it.
 */
import { knownDeviations } from "../../model/deviations/index.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import { kernels } from "../../model/kernels/kernels.ts";
import type { KernelName } from "../../model/kernels/kernels.ts";
import { VISIBLE } from "../../harness/commands/explain.ts";
import { promises } from "../../harness/contract/promises.ts";
import { recordObservation } from "../../harness/finding/recorded.ts";
import type { TimelineStep } from "../../harness/finding/timeline.ts";
import { modelWith, witnessOf, witnessesOf } from "../../harness/lockstep/deviations.ts";
import { cannotInC } from "../../harness/operations/in-c.ts";
import { describeOperation } from "../../harness/operations/operation.ts";
import { severityWords } from "../../harness/report/ranked.ts";
import { stepsText } from "../../harness/report/report.ts";
import { shownByDeviations } from "../../harness/reproducer/deviation-cases.ts";
import type { Counterexample } from "../../harness/stored/counterexample.ts";
import { knownConfig } from "../../harness/under-test/kernel-traits.ts";
import { variantNamed } from "../../harness/under-test/variants.ts";
import { caseText } from "./case-text.ts";
import { GENERATED, fenced, joined, table } from "./markdown.ts";

/** What `replay --steps` shows, with the model that has the deviation in place of the kernel. */
function picture(deviation: Deviation): string {
  const { kernel, freeBlocks, variant: name } = deviation.witness;
  const variant = variantNamed(name);
  const known = knownConfig(variant, kernels[kernel as KernelName]);
  const config = { ...known, ...(freeBlocks !== undefined && { freeBlocks }) };
  const [right, wrong] = [modelWith(config, []), modelWith(config, [deviation])];
  const operations = witnessOf(deviation);
  const steps = operations.map((operation, step): TimelineStep => {
    const [expected, seen] = [right, wrong].map((model) => model.step(operation, step));
    return { step, expected: recordObservation(expected!), seen: recordObservation(seen!) };
  });
  return stepsText(steps, operations, variant.blockSize, false);
}

const cases = shownByDeviations();

/** The deviation as a file for `replay`. */
function caseOf({ id }: Deviation): Counterexample {
  const found = cases.find(({ deviation }) => deviation.id === id);
  if (found === undefined) throw new Error(`no case shows ${id}`);
  return found.counterexample;
}

const REPLAY = "ext4-conform replay --strict --steps case.json";
const EXPORT = "ext4-conform export case.json --as c --out case.c";

/** How a kernel is asked: the file, and the commands that take it. */
function onKernel(deviation: Deviation): string[] {
  const counterexample = caseOf(deviation);
  const cannot = counterexample.operations.find((one) => cannotInC(one) !== undefined);
  return [
    "As a file, `case.json`:",
    fenced(caseText(counterexample), "json"),
    "On a kernel that shows it, `--strict` makes it a finding:",
    fenced(REPLAY, "sh"),
    ...(cannot === undefined
      ? ["A program in C, for whoever does not have this tool:", fenced(EXPORT, "sh")]
      : [`No program in C shows it: ${cannotInC(cannot)}.`]),
  ];
}

const PICTURE =
  "After each operation, by the model: expected is the kernel as it should be, seen is the one with the deviation.";

/** What shows in no map. */
const UNSEEN: Partial<Record<Deviation["visible"], string>> = {
  unmount:
    "The kernel warns when it unmounts, which no picture shows; in the page cache it shows before.",
  "power cut":
    "It shows only after a power cut. The model knows which blocks may then hold older data, and not which data, so the picture does not show it.",
};

function why({ breaks }: Deviation): string {
  if (breaks.length === 0) return "";
  const broken = promises.filter(({ id }) => breaks.includes(id));
  return joined(
    "It may break what was promised:",
    broken.map(({ id, claim }) => `- \`${id}\`: ${claim}`).join("\n"),
  ).trimEnd();
}

const calls = (deviation: Deviation): string[] =>
  witnessesOf(deviation).map((list) => list.map(describeOperation).join("; "));

const worst = ({ severity }: Deviation): string =>
  severity === undefined ? "-" : severityWords[severity];

/** The page of one. */
function page(deviation: Deviation): string {
  const { id, claim, reason, seenIn, path, visible, witness } = deviation;
  const facts = [
    `- At worst: ${worst(deviation)}.`,
    `- Seen in: ${seenIn.join("; ")}.`,
    `- Write path: ${path ?? "both"}.`,
    `- Shows: ${VISIBLE[visible]}.`,
    `- In the model: \`model/deviations/${id}.ts\` has what was traced, and where.`,
  ];
  const [first, ...others] = calls(deviation);
  const few = witness.freeBlocks;
  return joined(
    `# ${id}`,
    GENERATED,
    claim,
    facts.join("\n"),
    "## Why",
    reason,
    why(deviation),
    "## The shortest way",
    `On \`${witness.variant}\`, by the model of ${witness.kernel}${few === undefined ? "" : `, with ${few} free blocks`}:`,
    fenced([first, ...others.map((one) => `or, where that shows nothing: ${one}`)].join("\n")),
    PICTURE,
    UNSEEN[visible] ?? "",
    `<!-- output: the model, as \`replay --steps\` prints a kernel -->`,
    fenced(picture(deviation)),
    "## On a kernel",
    ...onKernel(deviation),
    "[All known deviations](README.md)",
  );
}

function index(): string {
  const rows = knownDeviations.map((one) => [
    `[${one.id}](${one.id}.md)`,
    one.claim,
    one.seenIn.join("; "),
    worst(one),
    `\`${calls(one)[0]}\``,
  ]);
  return joined(
    "# Known deviations",
    GENERATED,
    "What real kernels do and should not, each with its shortest sequence. A run finds out by it which of them this kernel shows, follows it there, proves in each case that it could not be followed without, and reports them every time. Anything else fails the run, and with `--strict` these do too. `ext4-conform explain ID` prints what a page here says in short.",
    table(["deviation", "what happens", "seen in", "at worst", "shortest"], rows),
    "And there are bugs that no kernel has, to prove that they would be found: `model/deviations/README.md` says how soon.",
  );
}

/** The documents, by their path in docs/. */
export function deviationDocuments(): [path: string, text: string][] {
  return [
    ["deviations/README.md", index()],
    ...knownDeviations.map((one): [string, string] => [`deviations/${one.id}.md`, page(one)]),
  ];
}
