/**
 * How far a run has come, as a live line.
 */
import { grouped } from "../text/numbers.ts";
import type { RunCounts } from "../stored/result.ts";
import { rateOf, together } from "../explore/explored.ts";
import type { Explored } from "../explore/explored.ts";
import type { Message } from "../workers/messages.ts";
import { LiveLine } from "../text/live-line.ts";
import { sum } from "./by-variant.ts";

export class Progress {
  readonly #line: LiveLine;
  #of = 0;
  readonly #seen = new Map<string, Map<number, RunCounts>>();
  readonly #started = Date.now();
  /** The variant that is explored, and how far each job has come. */
  #variant = "";
  readonly #explored = new Map<number, Explored>();

  constructor(stream: NodeJS.WriteStream) {
    this.#line = new LiveLine(stream);
  }

  /** `of` variants are to be run. */
  begin(of: number): void {
    this.#of = of;
  }

  /** A job is told this by its worker. */
  hear(job: number, message: Message): void {
    const { type } = message;
    if (type === "progress" || type === "finished") {
      const jobs = this.#jobsOf(message.variant);
      jobs.set(job, message.counts);
      this.#show(message.variant, [...jobs.values()]);
    }
    if (type === "states") this.#states(message.variant, message.states);
    if (type === "exploring") this.#exploring(job, message.variant, message.explored);
  }

  #jobsOf(variant: string): Map<number, RunCounts> {
    let jobs = this.#seen.get(variant);
    if (jobs === undefined) this.#seen.set(variant, (jobs = new Map()));
    return jobs;
  }

  /** Which of the variants it is, by when it was first heard of: "[2/11]". */
  #place(variant: string): string {
    this.#jobsOf(variant);
    return `[${this.#seen.size}/${this.#of}]`;
  }

  #show(variant: string, jobs: RunCounts[]): void {
    const at = this.#place(variant);
    this.#line.show(() => {
      const { cases, operations } = jobs.reduce(sum);
      const seconds = Math.floor((Date.now() - this.#started) / 1000);
      return `${at} ${variant}: ${grouped(cases)} cases, ${grouped(operations)} operations, ${seconds} s`;
    });
  }

  /** So many states of a variant were found, of which nothing is driven yet. */
  #states(variant: string, states: number): void {
    const at = this.#place(variant);
    this.#line.show(() => `${at} ${variant}: the model has ${grouped(states)} states so far`);
  }

  /** A job has come this far with the edges of a variant. */
  #exploring(job: number, variant: string, explored: Explored): void {
    if (this.#variant !== variant) this.#explored.clear();
    this.#variant = variant;
    this.#explored.set(job, explored);
    const at = this.#place(variant);
    this.#line.show(() => {
      const all = [...this.#explored.values()].reduce(together);
      const { driven, own, seconds } = all;
      const rate = rateOf(all);
      const left = seconds < 1 || rate === 0 ? "" : `, ${grouped((own - driven) / rate)} s left`;
      return `${at} ${variant}: ${grouped(driven)} of ${grouped(own)} edges, ${grouped(rate)} a second${left}`;
    });
  }

  /** Leave the line clean for what is printed next. */
  end(): void {
    this.#line.end();
  }
}
