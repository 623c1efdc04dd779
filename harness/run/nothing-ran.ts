/**
 * Why a run came to no case, and which number would bring one. It is no mistake: of a campaign with
 * few cases the last shards have none, and their results are merged all the same. Nor does it say
 * anything of the kernel, so that its exit status is that of a skip.
 */
import { CASES_PER_CHUNK } from "./chunk.ts";
import type { Shard } from "./shard.ts";
import { LEAST_SECONDS } from "./time-left.ts";

interface Limits {
  /** Cases for each variant; undefined where time was the limit. */
  cases?: number | undefined;
  seconds?: number | undefined;
  shard?: Shard | undefined;
  /** Seconds until the kernel had answered. */
  upSeconds: number;
}

/** Twice as long as it took, since a machine may be busier the next time. */
const secondsFor = (upSeconds: number): number => Math.ceil(2 * (upSeconds + LEAST_SECONDS));

/** In words; undefined where neither of the two limits was the reason. */
export function whyNothingRan({ cases, seconds, shard, upSeconds }: Limits): string | undefined {
  if (cases !== undefined && shard !== undefined) {
    // The first chunk of the shard (shard.ts jobOf()).
    const before = (shard.index - 1) * CASES_PER_CHUNK;
    if (cases <= before) {
      const most = Math.ceil(cases / CASES_PER_CHUNK);
      return `shards have cases by ${CASES_PER_CHUNK}, and ${cases} are enough for ${most} of them; --cases ${before + 1} gives shard ${shard.index} one`;
    }
  }
  if (seconds === undefined) return undefined;
  return `the time was up before one could begin, ${upSeconds.toFixed(1)} s of it until the kernel had answered; --seconds ${secondsFor(upSeconds)} would do`;
}
