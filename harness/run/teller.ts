/**
 * Teller: what happens with one variant, told over a worker's channel.
 */
import type { CaseEvent } from "../session/events.ts";
import type { Channel } from "../workers/channel.ts";
import type { Assignment, Finished, NewFinding, VariantNews } from "../workers/messages.ts";
import { CASES_PER_CHUNK } from "./chunk.ts";
import { packShapes, shapeOf } from "./shape.ts";
import type { CaseShape } from "./shape.ts";
import type { VariantRun } from "./variant-run.ts";

/** Milliseconds between two messages that only say how far something has come. */
export const PROGRESS_MS = 200;

/** Calls `tell` when it is called, but not so soon after the last time. */
export function nowAndThen(tell: () => void): () => void {
  let told = 0;
  return () => {
    if (Date.now() - told < PROGRESS_MS) return;
    told = Date.now();
    tell();
  };
}

export class Teller {
  readonly variant: string;
  readonly #channel: Channel;
  readonly #assignment: Assignment;
  readonly #shapes: CaseShape[] = [];
  readonly #alive = nowAndThen(() => this.#tellProgress());
  /** Once its image is mounted. */
  #run: VariantRun | undefined;

  constructor(channel: Channel, assignment: Assignment, variant: string) {
    this.#channel = channel;
    this.#assignment = assignment;
    this.variant = variant;
  }

  tell(news: VariantNews): void {
    this.#channel.send({ variant: this.variant, ...news });
  }

  /** Tells on what is asked for. */
  hear(event: CaseEvent): void {
    const { tellCases, shapes } = this.#assignment;
    switch (event.type) {
      case "performed":
        // However long shrinking takes, it does not hang.
        return this.#alive();
      case "conforms":
        if (shapes) this.#shapes.push(shapeOf(event.case, event.seen));
        return;
      case "case":
        if (tellCases || event.case % CASES_PER_CHUNK === 0) this.tell(event);
        return;
      case "trying":
      case "walking":
      case "kept":
        if (tellCases) this.tell(event);
        return;
      case "diverged":
      case "renewed":
      case "checkpoint":
        return this.tell(event);
    }
  }

  #tellProgress(): void {
    if (this.#run === undefined) this.#channel.send({ type: "alive" });
    else this.tell({ type: "progress", counts: this.#run.counts });
  }

  /** The variant is mounted, and run. */
  mounted(run: VariantRun): void {
    this.#run = run;
    this.tell({ type: "mounted", ...run.session.mounted });
  }

  /** A divergence that was found, confirmed and named as far as it can be. */
  found(found: Omit<NewFinding, "variant">): void {
    this.#channel.send({ type: "found", found: { variant: this.variant, ...found } });
  }

  /**
   * What the variant came to that was begun at `started`, on the clock of performance.now().
   */
  finished(
    { counts, statistics }: VariantRun,
    started: number,
    more: Pick<Finished, "explored" | "timeUp" | "foundEnough"> = {},
  ): void {
    const seconds = (performance.now() - started) / 1000;
    const shapes = this.#assignment.shapes ? { shapes: packShapes(this.#shapes) } : {};
    const met = statistics === undefined ? {} : { statistics };
    this.tell({ type: "finished", counts, seconds, ...shapes, ...met, ...more });
  }
}
