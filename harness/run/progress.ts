/**
 * How far a run has come, as a live line.
 */
import { counted, grouped } from "../text/numbers.ts";
import type { RunCounts } from "../stored/result.ts";
import { leftOf, rateOf, together } from "../explore/explored.ts";
import type { Explored } from "../explore/explored.ts";
import type { Message } from "../workers/messages.ts";
import { LiveLine } from "../text/live-line.ts";
import { sum } from "./by-variant.ts";

function edgesText(all: Explored): string {
  const { driven, own, seconds } = all;
  const rate = rateOf(all);
  const left = seconds < 1 || rate === 0 ? "" : `, ${grouped(leftOf(all) / rate)} s left`;
  return `${grouped(driven)} of ${grouped(own)} edges, ${grouped(rate)} a second${left}`;
}

/** Behind these it is at its next case. */
const NEXT: readonly Message["type"][] = [
  "checkpoint",
  "mounted",
  "found",
  "met",
  "renewed",
  "finished",
];

/** What a job is at that is not its next case; undefined where a message says nothing of that. */
function doingOf(message: Message): string | undefined {
  if (message.type === "diverged") return "; making a case that diverges smaller";
  if (message.type === "checkpoint" && !message.done) return "; looking at the disk";
  return NEXT.includes(message.type) ? "" : undefined;
}

export class Progress {
  readonly #line: LiveLine;
  #of = 0;
  readonly #seen = new Map<string, Map<number, RunCounts>>();
  readonly #started = Date.now();
  /** The variant that is explored, and how far each job has come. */
  #variant = "";
  readonly #explored = new Map<number, Explored>();
  /** What each job is at, behind other words of a line. */
  readonly #doing = new Map<number, string>();

  constructor(stream: NodeJS.WriteStream) {
    this.#line = new LiveLine(stream);
  }

  /** `of` variants are to be run. */
  begin(of: number): void {
    this.#of = of;
  }

  /** A job is told this by its worker. */
  hear(job: number, message: Message): void {
    this.#doing.set(job, doingOf(message) ?? this.#doing.get(job) ?? "");
    if (message.type === "progress" || message.type === "finished") {
      const jobs = this.#jobsOf(message.variant).set(job, message.counts);
      this.#show(message.variant, () => {
        const { cases, operations, tries } = [...jobs.values()].reduce(sum);
        const tried = tries === 0 ? "" : `, ${grouped(tries)} tries`;
        const seconds = Math.floor((Date.now() - this.#started) / 1000);
        const ran = `${counted(cases, "case")}${tried}, ${counted(operations, "operation")}`;
        return `${ran}, ${seconds} s${this.#doing.get(job)}`;
      });
    }
    if (message.type === "states") {
      const { states } = message;
      this.#show(message.variant, () => `the model has ${grouped(states)} states so far`);
    }
    if (message.type === "exploring") {
      if (this.#variant !== message.variant) this.#explored.clear();
      this.#variant = message.variant;
      this.#explored.set(job, message.explored);
      this.#show(message.variant, () => edgesText([...this.#explored.values()].reduce(together)));
    }
  }

  #jobsOf(variant: string): Map<number, RunCounts> {
    let jobs = this.#seen.get(variant);
    if (jobs === undefined) this.#seen.set(variant, (jobs = new Map()));
    return jobs;
  }

  /** Behind which of the variants it is, by when it was first heard of: "[2/11]". */
  #show(variant: string, text: () => string): void {
    this.#jobsOf(variant);
    const at = `[${this.#seen.size}/${this.#of}]`;
    this.#line.show(() => `${at} ${variant}: ${text()}`);
  }

  /** Leave the line clean for what is printed next. */
  end(): void {
    this.#line.end();
  }
}
