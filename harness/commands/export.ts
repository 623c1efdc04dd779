/**
 * `ext4-conform export CASE --as FORM`: a stored case as something that goes to people who do not
 * have this tool.
 */
import { release } from "node:os";
import { NEWEST } from "../../model/kernels/kernels.ts";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { asC } from "../reproducer/c.ts";
import { asMail } from "../reproducer/mail.ts";
import { asShell } from "../reproducer/sh.ts";
import { readCounterexample } from "../stored/counterexample.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { writeOutput } from "../stored/output.ts";

type Form = (counterexample: Counterexample, running: string) => string;

/** What a case can be written as. */
export const FORMS = { c: asC, sh: asShell, mail: asMail } as const satisfies Record<string, Form>;

export type FormName = keyof typeof FORMS;

export interface ExportOptions {
  as: FormName;
  /** Where it is written; `-` is standard output. */
  out: string;
}

/**
 * The kernel that stands for a case's which names none: the one that runs, where that is a Linux.
 */
const runningRelease = (): string => (process.platform === "linux" ? release() : NEWEST);

/**
 * Write the case in a form. Throws UsageError where the file cannot be read or written, or the form
 * has no words for what is in it.
 */
export function exportCase(file: string, { as, out }: ExportOptions): ExitStatus {
  writeOutput(out, FORMS[as](readCounterexample(file), runningRelease()));
  return exitStatus.conforms;
}
