/**
 * Silence: for how long a worker could have said something and did not.
 *
 * A clock on the wall says less: it goes on while this process or the machine is stopped, somebody
 * may set it, and where eight programs share two processors each gets a quarter of the time. So
 * time is counted in looks, of which one that comes late counts for no more than its distance to
 * the next, and of each the share that a process has of the processors.
 */
import { availableParallelism } from "node:os";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

/** Milliseconds between two looks. */
export const LOOK_MS = 250;

/**
 * A look that comes so many times later than it should was held up by something else than a load.
 */
const LATE = 2;

/**
 * Of the time that passes, the share that a process gets: as many want to run now as the fourth
 * word of /proc/loadavg says.
 */
function shareOfProcessors(): number {
  try {
    const [, , , tasks = ""] = readFileSync("/proc/loadavg", "latin1").split(" ");
    const running = Number(tasks.split("/")[0]);
    return Math.min(1, availableParallelism() / Math.max(1, running));
  } catch {
    return 1;
  }
}

export class Silence {
  #lastLook = performance.now();
  #ms = 0;

  /** Milliseconds of it until the last look. */
  get ms(): number {
    return this.#ms;
  }

  /** Something was said. */
  end(): void {
    this.#ms = 0;
    this.#lastLook = performance.now();
  }

  /** Count the time since the last look; to be called every LOOK_MS. */
  look(): void {
    const now = performance.now();
    const passed = Math.min(now - this.#lastLook, LATE * LOOK_MS);
    this.#lastLook = now;
    this.#ms += passed * shareOfProcessors();
  }
}
