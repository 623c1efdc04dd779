/**
 * What checking recordings came to, for the reports: a subtest each. Nothing in a recording can be
 * run again, so what it shows counts as confirmed.
 */
import type { Variant } from "../case/variant.ts";
import type { Findings } from "../contract/shortest.ts";
import { bySeverity } from "../finding/severity.ts";
import { fileWord, ownCommand } from "../host/own-command.ts";
import { NO_SUBTEST, outcomeOf } from "../report/outcome.ts";
import type { Finding, Subtest } from "../report/outcome.ts";
import { mkfsOptions } from "../subjects/mkfs.ts";
import type { FileResult } from "../trace/check.ts";
import { nameOf } from "../trace/check.ts";
import type { TraceHeader } from "../trace/format.ts";
import { findingOf } from "./run-outcome.ts";
import type { Tell } from "./reports.ts";

/** What the header says of what was recorded. */
function recorded(file: string, header: TraceHeader) {
  const { kernel: release, series, mount } = header;
  const machine = header.version === 3 ? { machine: header.machine } : {};
  const path = header.version === 3 ? header.config.path : header.path;
  return {
    ...NO_SUBTEST,
    name: file,
    path,
    ...(header.version !== 1 && { mkfsOptions: mkfsOptions(header.variant).join(" ") }),
    mountOptions: mount,
    kernel: { release, ...machine, series },
  };
}

const state = (findings: readonly Finding[]): "pass" | "fail" =>
  findings.length === 0 ? "pass" : "fail";

/**
 * A file that was held against the model.
 *
 * @param report of its first divergence
 * @param command that shows it again
 */
export function checkedSubtest(result: FileResult, report: string, command: string): Subtest {
  const { file, header, cases, steps, compared, seconds, first } = result;
  const found = first && {
    variant: nameOf(header),
    case: first.number,
    divergence: first.divergence,
    confirmed: true,
    named: [],
    met: 1,
  };
  const findings = found === undefined ? [] : [findingOf({ found, report, command })];
  return {
    ...recorded(file, header),
    status: state(findings),
    seconds,
    counts: { cases, steps, compared },
    deviations: Object.fromEntries(result.parts),
    findings,
  };
}

/**
 * A file that was held against the contract.
 *
 * @param saved files of the shortest sequences, in the order of the findings; none where nobody
 * asked for them
 */
export function contractSubtest(
  file: string,
  {
    findings: found,
    variant,
    header,
  }: { findings: Findings; variant: Variant; header: TraceHeader },
  saved: readonly string[],
  seconds: number,
): Subtest {
  const { list, cases, operations: steps } = found;
  const findings = list.map(({ promise, claim, cases: breaking, shortest }, index) => {
    const { operations, broken } = shortest;
    const message = `${promise}: ${broken.message}`;
    const divergence = {
      variant: variant.name,
      step: operations.length - 1,
      operations,
      kind: "contract" as const,
      promise: { id: promise, severity: broken.severity },
      message,
    };
    const path = saved[index];
    return findingOf({
      found: {
        variant: variant.name,
        case: shortest.case,
        divergence,
        confirmed: true,
        named: [],
        met: breaking,
      },
      report: `${message}\n${claim}\nin ${breaking} of ${cases} cases\n`,
      command: ownCommand(
        path === undefined
          ? ["trace", "check", "--contract", "--", fileWord(file)]
          : ["replay", fileWord(path)],
      ),
      ...(path !== undefined && { counterexample: path }),
    });
  });
  return {
    ...recorded(file, header),
    status: state(findings),
    seconds,
    counts: { cases, steps },
    findings: findings.toSorted((a, b) => bySeverity(a.divergence, b.divergence)),
  };
}

/** Grows with each file, and tells what all came to by then. */
export class TraceOutcome {
  readonly #files: readonly string[];
  readonly #strict: boolean;
  readonly #tell: Tell | undefined;
  readonly #started = performance.now();
  readonly #done: Subtest[] = [];

  constructor(files: readonly string[], strict: boolean, tell: Tell | undefined) {
    this.#files = files;
    this.#strict = strict;
    this.#tell = tell;
    this.#say();
  }

  add(subtest: Subtest): void {
    this.#done.push(subtest);
    this.#say();
  }

  /** It could not be checked. */
  readonly refuse = (file: string, reason: string): void => {
    this.add({ ...NO_SUBTEST, name: file, findings: [], reason });
  };

  #say(): void {
    const rest = this.#files.slice(this.#done.length).map((name) => ({
      ...NO_SUBTEST,
      name,
      findings: [],
      reason: "it was not its turn yet",
    }));
    this.#tell?.(
      outcomeOf({
        command: "trace check",
        started: this.#started,
        strict: this.#strict,
        subtests: [...this.#done, ...rest],
      }),
    );
  }
}
