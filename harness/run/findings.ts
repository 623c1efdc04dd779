/**
 * Findings: what was found in a variant so far, told apart. A case that diverges as others did is
 * not looked into again, and a variant that has shown enough is left.
 */
import type { Divergence } from "../finding/divergence.ts";
import { symptomOf } from "../finding/identity.ts";

/**
 * Divergences that look alike and are looked into. What looks alike need not be one finding: each
 * further one is taken for what the last of these became.
 */
const LOOKED_INTO = 3;

/** When a variant is left. */
export interface FindingLimits {
  /** Once it has so many findings, or so many divergences. */
  findings: number;
  divergences: number;
  /** And once so many milliseconds were spent on finding out what they are. */
  ms: number;
}

/** Of cases that sample: more of the same tell nothing. */
export const SAMPLE_LIMITS: FindingLimits = { findings: 5, divergences: 50, ms: 30_000 };

/** Of what is there to be gone through: it comes to an end however often it diverges. */
export const WHOLE_LIMITS: FindingLimits = { findings: 20, divergences: Infinity, ms: 600_000 };

interface Symptom {
  lookedInto: number;
  /** What the last one became. */
  identity: string;
}

export class Findings {
  readonly #accepted: ReadonlySet<string>;
  readonly #limits: FindingLimits;
  readonly #symptoms = new Map<string, Symptom>();
  /** Identities, with those that are accepted; and those that a fresh image has shown again. */
  readonly #met = new Set<string>();
  readonly #confirmed = new Set<string>();
  #divergences = 0;
  #ms = 0;

  /** @param accepted identities of findings that end nothing */
  constructor(accepted: readonly string[], limits = SAMPLE_LIMITS) {
    this.#accepted = new Set(accepted);
    this.#limits = limits;
  }

  /**
   * The finding that a divergence is taken for; undefined where it is to be looked into. Nothing is
   * taken for what is accepted: what it only looks like would pass with it.
   */
  takenFor(divergence: Divergence): string | undefined {
    const { lookedInto = 0, identity = "" } = this.#symptoms.get(symptomOf(divergence)) ?? {};
    return lookedInto >= LOOKED_INTO && !this.#accepted.has(identity) ? identity : undefined;
  }

  /** A divergence was looked into, and is this finding. */
  lookedInto(divergence: Divergence, identity: string): void {
    const symptom = symptomOf(divergence);
    const { lookedInto = 0 } = this.#symptoms.get(symptom) ?? {};
    this.#symptoms.set(symptom, { lookedInto: lookedInto + 1, identity });
  }

  /** So many milliseconds went into finding out that a divergence is this finding. */
  spent(ms: number, identity: string): void {
    if (!this.#accepted.has(identity)) this.#ms += ms;
  }

  /** Whether a fresh image has shown it. */
  isKnown(identity: string): boolean {
    return this.#confirmed.has(identity);
  }

  /** A case has shown this finding; and a fresh image, where it is `confirmed`. */
  met(identity: string, confirmed = true): void {
    if (confirmed) this.#confirmed.add(identity);
    if (!this.#accepted.has(identity)) this.#divergences += 1;
    this.#met.add(identity);
  }

  /** Something was found, accepted or not. */
  get anything(): boolean {
    return this.#met.size > 0;
  }

  /** Something was found that is not accepted. */
  get any(): boolean {
    return this.#divergences > 0;
  }

  /** What would come after it is not worth the time that it takes. */
  get enough(): boolean {
    const { findings, divergences, ms } = this.#limits;
    const met = [...this.#met].filter((identity) => !this.#accepted.has(identity));
    return met.length >= findings || this.#divergences >= divergences || this.#ms >= ms;
  }
}
