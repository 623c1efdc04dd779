/**
 * A recorded case in lockstep with the model. A trace of version 2 has digests of what was read and
 * not the bytes, so both sides know of one another here: the model's bytes are compared by their
 * digest, and only where it differs do they stay.
 */
import type { ModelConfig } from "../../model/tables.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import type { Divergence } from "../finding/divergence.ts";
import { UsageError } from "../case/failure.ts";
import { runCase } from "../lockstep/lockstep.ts";
import type { CaseResult, LockstepOptions } from "../lockstep/lockstep.ts";
import { ModelSubject } from "../lockstep/model-subject.ts";
import type { Oracle } from "../lockstep/oracle.ts";
import { ReplaySubject } from "../lockstep/replay-subject.ts";
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { MAX_FOLIOS } from "./limits.ts";
import type { TraceCase } from "./read.ts";
import { digestOf } from "./step.ts";

/** The model of a trace's file system, which goes from case to case. */
export class TraceModel extends ModelSubject {
  /** Of the bytes that the current step read, where it did and the trace says. */
  #digest: string | undefined;
  /** Empty where the trace has the bytes themselves. */
  #digests: TraceCase["digests"] = [];

  constructor(config: ModelConfig, deviations: readonly Deviation[]) {
    super(
      config,
      deviations.map(({ override }) => override),
    );
  }

  /** Run a case and stop at its first divergence. */
  run(recorded: TraceCase, options: LockstepOptions): CaseResult {
    const { operations, observations, digests, freeBlocks } = recorded;
    this.#digests = digests;
    const subject = new ReplaySubject(observations, freeBlocks);
    const result = runCase(this, subject, operations, options);
    const { divergence } = result;
    const sha256 = divergence && digests[divergence.step];
    if (divergence?.kind === "read" && sha256 !== undefined) explainRead(divergence, sha256);
    return result;
  }

  override apply(operation: Operation, index: number, oracle?: Oracle): void {
    this.#digest = this.#digests[index];
    super.apply(operation, index, oracle);
    const folios = this.inode.i_mapping.length;
    if (folios <= MAX_FOLIOS) return;
    throw new UsageError(
      `steps[${index}]: the page cache would hold ${folios} folios; ${MAX_FOLIOS} is the limit`,
    );
  }

  protected override bytesRead(pos: number, len: number): Uint8Array | undefined {
    if (this.#digests.length > 0 && this.#digest === undefined) return undefined;
    return super.bytesRead(pos, len);
  }

  override observe(...windows: Parameters<ModelSubject["observe"]>): Observation {
    const expected = super.observe(...windows);
    const { read } = expected;
    if (read !== undefined && this.#digest !== undefined && digestOf(read) === this.#digest) {
      expected.read = undefined;
    }
    return expected;
  }
}

/** Characters of a digest that tell it from any other in a message. */
const SHORT = 16;

/** Say of a read whose digest differs what is known of it: how much was read, and the digest. */
function explainRead(divergence: Divergence, sha256: string): void {
  const { expected, seen } = divergence;
  if (expected?.read === undefined || seen === undefined) return;
  const is = `SHA-256 ${sha256.slice(0, SHORT)}..., expected ${expected.read.sha256.slice(0, SHORT)}...`;
  divergence.message = `the ${seen.result} bytes that were read have ${is}`;
  seen.read = { length: seen.result, sha256, offset: 0, bytes: "" };
}
