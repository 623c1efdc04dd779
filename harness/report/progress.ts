/**
 * How far a run has come, as a live line.
 */
import type { RunCounts } from "../run/run-counts.ts";
import { LiveLine } from "./live-line.ts";

const number = new Intl.NumberFormat("en-US");

/** 12,345 */
export function grouped(n: number): string {
  return number.format(Math.round(n));
}

/** "1 case", "2,000 cases" */
export function counted(n: number, what: string): string {
  return `${grouped(n)} ${what}${n === 1 ? "" : "s"}`;
}

export class Progress {
  readonly #line: LiveLine;
  #of = 0;
  readonly #seen = new Map<string, Map<number, RunCounts>>();
  readonly #started = Date.now();

  constructor(stream: NodeJS.WriteStream) {
    this.#line = new LiveLine(stream);
  }

  /** `of` variants are to be run. */
  begin(of: number): void {
    this.#of = of;
  }

  /** A job has come this far with a variant. */
  update(job: number, variant: string, counts: RunCounts): void {
    let jobs = this.#seen.get(variant);
    if (jobs === undefined) this.#seen.set(variant, (jobs = new Map()));
    jobs.set(job, counts);
    this.#show(variant, [...jobs.values()]);
  }

  #show(variant: string, jobs: RunCounts[]): void {
    this.#line.show(() => {
      const cases = jobs.reduce((sum, counts) => sum + counts.cases, 0);
      const operations = jobs.reduce((sum, counts) => sum + counts.operations, 0);
      const seconds = Math.floor((Date.now() - this.#started) / 1000);
      return `[${this.#seen.size}/${this.#of}] ${variant}: ${grouped(cases)} cases, ${grouped(operations)} operations, ${seconds} s`;
    });
  }

  /** Leave the line clean for what is printed next. */
  end(): void {
    this.#line.end();
  }
}
