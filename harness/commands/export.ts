/**
 * `ext4-conform export CASE --as FORM`: a stored case as something that goes to people who do not
 * have this tool.
 */
import { readdirSync, statSync } from "node:fs";
import { release } from "node:os";
import { basename, join } from "node:path";
import { NEWEST } from "../../model/kernels/kernels.ts";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { asC } from "../reproducer/c.ts";
import { asFstest, fstestName, fstestPatch } from "../reproducer/fstest.ts";
import { asFsx } from "../reproducer/fsx.ts";
import { asMail } from "../reproducer/mail.ts";
import { asShell } from "../reproducer/sh.ts";
import { readCounterexample } from "../stored/counterexample.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { Output, destinationOf, writeOutput } from "../stored/output.ts";

interface Form {
  /** What it is, in a few words. */
  readonly help: string;
  /** The case, whose file is called `name`, in one text. */
  text(this: void, counterexample: Counterexample, running: string, name: string): string;
}

/** What a case can be written as. */
export const FORMS = {
  c: { help: "a C program", text: (one, running) => asC(one, running) },
  sh: { help: "a script", text: (one, running) => asShell(one, running) },
  mail: { help: "a text for a list", text: (one, running) => asMail(one, running) },
  fsxops: {
    help: "a file for fsx --replay-ops, of xfstests",
    text: (one, running) => asFsx(one, running),
  },
  fstest: {
    help: "a test of xfstests with its golden output, or on standard output a patch that adds both",
    text: (one, running, name) => fstestPatch(name, asFstest(one, running, name)),
  },
} as const satisfies Record<string, Form>;

export type FormName = keyof typeof FORMS;

export interface ExportOptions {
  as: FormName;
  /** Where it is written; `-` is standard output. A folder, where it is two files. */
  out: string;
}

/**
 * The kernel that stands for a case's which names none: the one that runs, where that is a Linux.
 */
const runningRelease = (): string => (process.platform === "linux" ? release() : NEWEST);

/** Of a file that others may run, before the umask. */
const EXECUTABLE = 0o777;

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** A test of xfstests and its golden output, side by side: both or none. */
function writeFstest(counterexample: Counterexample, path: string): void {
  const { test, golden } = asFstest(counterexample, runningRelease(), basename(path));
  const outputs = [Output.open(path), Output.open(`${path}.out`)] as const;
  outputs[0].write(test, EXECUTABLE);
  outputs[1].write(golden);
}

/**
 * Write the case in a form. Throws UsageError where the file cannot be read or written, or the form
 * has no words for what is in it.
 */
export function exportCase(file: string, { as, out }: ExportOptions): ExitStatus {
  const counterexample = readCounterexample(file);
  const stored = basename(file, ".json");
  const name = fstestName(stored);
  if (as === "fstest" && isFolder(out)) {
    writeFstest(counterexample, join(out, fstestName(stored, readdirSync(out))));
  } else if (as === "fstest" && destinationOf(out).kind === "file")
    writeFstest(counterexample, out);
  else writeOutput(out, FORMS[as].text(counterexample, runningRelease(), name));
  return exitStatus.conforms;
}
