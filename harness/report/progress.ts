/**
 * The live line: rewritten in place on a terminal, a line now and then elsewhere.
 */
import type { RunCounts } from "../run/variant-run.ts";

/** Milliseconds between two lines where there is no terminal. */
const LINE_MS = 10_000;

const number = new Intl.NumberFormat("en-US");

/** 12,345 */
export function grouped(n: number): string {
  return number.format(Math.round(n));
}

export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #of: number;
  readonly #seen = new Map<string, Map<number, RunCounts>>();
  readonly #started = Date.now();
  #lineAt = Date.now();
  #open = false;

  /** `of` variants are to be run. */
  constructor(stream: NodeJS.WriteStream, of: number) {
    this.#stream = stream;
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
    const cases = jobs.reduce((sum, counts) => sum + counts.cases, 0);
    const operations = jobs.reduce((sum, counts) => sum + counts.operations, 0);
    const seconds = Math.floor((Date.now() - this.#started) / 1000);
    const line = `[${this.#seen.size}/${this.#of}] ${variant}: ${grouped(cases)} cases, ${grouped(operations)} operations, ${seconds} s`;
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\u001b[K${line}`);
      this.#open = true;
    } else if (Date.now() - this.#lineAt > LINE_MS) {
      this.#lineAt = Date.now();
      this.#stream.write(`${line}\n`);
    }
  }

  /** Leave the line clean for what is printed next. */
  end(): void {
    if (this.#open) this.#stream.write("\r\u001b[K");
    this.#open = false;
  }
}
