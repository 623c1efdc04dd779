/**
 * The time that a run has left, and how it is shared by the variants that are still to come: each
 * gets as much as the others, and what one leaves the others have. Nothing is begun that could not
 * be ended in time.
 *
 * The clock is monotonic: a jump of the machine's time ends no run, and prolongs none.
 */

/**
 * Milliseconds that a variant takes beside its cases, before any has shown it: image, mount and
 * witnesses of known deviations; and the last checkpoint. Measured on 6.18.44: 0.3 to 0.9 s and 0.1
 * to 0.6 s.
 */
const FIRST_OPENING_MS = 600;
const FIRST_ENDING_MS = 400;

/** Milliseconds of cases without which a variant is not worth opening. */
const LEAST_MS = 200;

/** Of the time that an end took before, so much is kept free for the next. */
const RESERVE = 1.2;

/** Seconds without which no variant is opened, before any has shown how long it takes. */
export const LEAST_SECONDS = (FIRST_OPENING_MS + LEAST_MS + RESERVE * FIRST_ENDING_MS) / 1000;

export class TimeLeft {
  readonly #end: number;
  #opening = FIRST_OPENING_MS;
  #ending = FIRST_ENDING_MS;

  /** @param seconds from now on; undefined for as long as it takes */
  constructor(seconds: number | undefined) {
    this.#end = seconds === undefined ? Infinity : performance.now() + seconds * 1000;
  }

  /** Whether another variant can be opened, run for a moment, and ended. */
  get isEnough(): boolean {
    return performance.now() + this.#opening + LEAST_MS + RESERVE * this.#ending <= this.#end;
  }

  /**
   * When a variant that is opened now begins with its end, on the clock of performance.now().
   *
   * @param variants that are still to run, with this one
   */
  untilWhen(variants: number): number {
    const now = performance.now();
    const share = now + (this.#end - now) / variants;
    const ending = RESERVE * this.#ending;
    const least = now + this.#opening + LEAST_MS + ending;
    return Math.min(this.#end, Math.max(share, least)) - ending;
  }

  /** A variant took so long to open, and so long to end, milliseconds. */
  took(opening: number, ending: number): void {
    this.#opening = Math.max(this.#opening, opening);
    this.#ending = Math.max(this.#ending, ending);
  }
}
