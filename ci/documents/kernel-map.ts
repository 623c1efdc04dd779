/**
 * docs/kernel-map.md: which function of the model stands for which function of the kernel, as the
 * comments in model/ say it, and where operations begin.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../harness/host/package.ts";
import { effectsOf, operationSchema } from "../../harness/operations/operation.ts";
import { knownConfig } from "../../harness/under-test/kernel-traits.ts";
import { variantNamed } from "../../harness/under-test/variants.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import { seededBugs } from "../../model/deviations/seeded/index.ts";
import type { Operations } from "../../model/include/operations.ts";
import { kernels } from "../../model/kernels/kernels.ts";
import type { KernelName } from "../../model/kernels/kernels.ts";
import { operationsFor } from "../../model/tables.ts";
import { GENERATED, joined, table } from "./markdown.ts";

/** Folders whose files stand for files of the kernel. */
const FOLDERS = ["", "ext4", "fs", "iomap", "mm", "include"];

const KERNEL_FILE = /(?:fs|mm|include)\/[\w./-]+\.[ch]\b/;

/** A function of the kernel, and what stands for it. */
interface Place {
  kernelFile: string;
  name: string;
  modelFile: string;
  /** Absent where only the head of the file names it. */
  modelFunction?: string;
}

/** The text of a comment, without what makes it one. */
const plain = (comment: string): string =>
  comment.replaceAll(/\n *\* ?/g, " ").replaceAll(/ +/g, " ");

/** Functions that a text names behind a file of the kernel. */
function functionsIn(text: string): Pick<Place, "kernelFile" | "name">[] {
  const parts = text.split(new RegExp(`(?=${KERNEL_FILE.source})`));
  return parts.flatMap((part) => {
    const [kernelFile] = KERNEL_FILE.exec(part) ?? [];
    if (kernelFile === undefined || !part.startsWith(kernelFile)) return [];
    return [...part.matchAll(/\b(\w+)\(\)/g)].map(([, name]) => ({ kernelFile, name: name! }));
  });
}

/**
 * What a function's comment begins with: a file of the kernel, and functions in it. What it speaks of
 * further on may be of another file.
 */
const SUBJECT = new RegExp(`^\\s*${KERNEL_FILE.source}(?:,? (?:and )?\\w+\\(\\))+`);

const subjectOf = (comment: string): string => SUBJECT.exec(comment)?.[0] ?? "";

function placesIn(modelFile: string): Place[] {
  const source = readFileSync(join(packageRoot, modelFile), "utf8");
  const [, head = ""] = /^\/\*\*(.*?)\*\//s.exec(source) ?? [];
  const [, named = ""] = /Kernel:(.*?)(?:Left out:|\n \*\s*\n|$)/s.exec(head) ?? [];
  const heads = functionsIn(plain(named)).map((one) => ({ ...one, modelFile }));
  const documented = [
    ...source.matchAll(/\/\*\*((?:(?!\*\/).)*?)\*\/\n(?:export )?function (\w+)/gs),
  ];
  const functions = documented.flatMap(([, comment = "", modelFunction = ""]) =>
    functionsIn(subjectOf(plain(comment))).map((one) => ({ ...one, modelFile, modelFunction })),
  );
  return [...functions, ...heads];
}

/** Files of the model, without tests. */
function modelFiles(): string[] {
  return FOLDERS.flatMap((folder) => {
    const path = join("model", folder);
    const names = readdirSync(join(packageRoot, path)).toSorted();
    return names.filter((name) => /^[^.]+[.]ts$/.test(name)).map((name) => join(path, name));
  });
}

/** Functions that each file of the model has. */
function ownFunctions(modelFile: string): string[] {
  const source = readFileSync(join(packageRoot, modelFile), "utf8");
  return [...source.matchAll(/^(?:export )?function (\w+)/gm)].map(([, name]) => name!);
}

/** Deviations and seeded bugs, by the functions of the table that they replace. */
function bugsByFunction(): Map<string, string[]> {
  const bugs = new Map<string, string[]>();
  for (const { id, witness, override } of [...knownDeviations, ...seededBugs]) {
    const facts = kernels[witness.kernel as KernelName];
    const base = operationsFor(knownConfig(variantNamed(witness.variant), facts));
    for (const entry of Object.keys(override(base)) as (keyof Operations)[]) {
      // An entry may be called otherwise than the function in it, as the kernel's tables do.
      for (const name of new Set([entry, base[entry].name])) {
        bugs.set(name, [...(bugs.get(name) ?? []), id]);
      }
    }
  }
  return bugs;
}

/** Rows of one file of the kernel: a function of the model each. */
function rowsOf(places: readonly Place[], bugs: ReadonlyMap<string, string[]>): string[][] {
  const names = [...new Set(places.map(({ name }) => name))].toSorted();
  return names.flatMap((name) => {
    const all = places.filter((one) => one.name === name);
    const exact = all.filter((one) => one.modelFunction !== undefined);
    const models = (exact.length > 0 ? exact : all).map(({ modelFile, modelFunction }) => {
      const same = ownFunctions(modelFile).includes(name) ? name : undefined;
      return { modelFile, own: modelFunction ?? same };
    });
    const rows = models.map(({ modelFile, own }) => {
      const where = modelFile.replace("model/", "");
      const found = new Set([name, own ?? name].flatMap((one) => bugs.get(one) ?? []));
      return [
        `\`${name}()\``,
        own === undefined ? `\`${where}\`` : `\`${where} ${own}()\``,
        [...found].join(", "),
      ];
    });
    return [...new Map(rows.map((row) => [row[1], row])).values()];
  });
}

const beginnings = (): string[][] =>
  operationSchema.options.map(({ shape }) => {
    const [op] = [...shape.op.values];
    const { kernel, model } = effectsOf({ op: op! }).begins;
    return [`\`${op}\``, `\`${kernel}\``, `\`${model}\``];
  });

/** The document, by its path in docs/. */
export function kernelMapDocument(): [path: string, text: string] {
  const places = modelFiles().flatMap(placesIn);
  const bugs = bugsByFunction();
  const files = [...new Set(places.map(({ kernelFile }) => kernelFile))].toSorted();
  const sections = files.flatMap((file) => [
    `## ${file}`,
    table(
      ["kernel", "model/", "bugs that tests find there"],
      rowsOf(
        places.filter(({ kernelFile }) => kernelFile === file),
        bugs,
      ),
    ),
  ]);
  const text = joined(
    "# How the model maps to the kernel",
    GENERATED,
    "The model follows the kernel function by function. This is what the comments in `model/` say: beside a function of the kernel stands the function of the model that does its part, or just the file where several do it together. The head of each file says what it leaves out, and why that is allowed. A function that is in no table is not modelled.",
    "The last column has the known deviations ([pages](deviations/README.md)) and the seeded bugs (`model/deviations/README.md`) that replace that function: the tests find each of them by generated cases, so they reach it. Where the column is empty nobody has put a bug there; that says nothing about whether tests reach it, since reach is not measured function by function.",
    "`model/README.md` goes through the patch, and `model/what-the-patch-changes.md` has what the two write paths do differently.",
    "## Where operations begin",
    table(["operation", "kernel", "model"], beginnings()),
    ...sections,
  );
  return ["kernel-map.md", text];
}
