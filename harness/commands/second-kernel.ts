/**
 * The second kernel: what was found is replayed there too. Where it does as it must the first one
 * has changed something; where it does the same it may be an older bug, or the model's.
 */
import { EnvironmentError } from "../case/failure.ts";
import type { Divergence } from "../finding/divergence.ts";
import { identityOf } from "../finding/identity.ts";
import { kernelUnderTest } from "../guest/under-test.ts";
import type { UnderTestOptions } from "../guest/under-test.ts";
import { ranked } from "../report/ranked.ts";
import { WorkerLost } from "../run/conversation.ts";
import { Attempts } from "../run/crash-triage.ts";
import type { FoundDivergence, SecondKernel } from "../stored/result.ts";
import { hidden } from "../under-test/kernel-traits.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import { variantNamed } from "../under-test/variants.ts";
import { complain } from "../text/say.ts";
import { HANG_SECONDS } from "../workers/link.ts";
import type { KernelUnderTest } from "../workers/link.ts";
import type { Attempted } from "../workers/messages.ts";

/** Of a command that has findings. */
export interface SecondKernelOptions extends UnderTestOptions {
  /** The kernel on which findings are replayed too; undefined where there is none. */
  secondKernel?: string | undefined;
}

/**
 * That kernel. What is appended to a command line is for the kernel under test.
 *
 * @throws UsageError where it is no kernel, EnvironmentError where nothing here can run it
 */
export async function secondKernelOf({
  secondKernel,
  ...guest
}: SecondKernelOptions): Promise<KernelUnderTest | undefined> {
  return secondKernel === undefined
    ? undefined
    : kernelUnderTest(secondKernel, { ...guest, append: [] });
}

/** What a replay there comes to, beside what was found here. */
function saysOf(
  { divergence: there, notDone = [] }: Attempted,
  here: Divergence,
  traits: KernelTraits,
): Pick<SecondKernel, "does" | "message"> {
  if (there !== undefined) {
    const { message } = there;
    return identityOf(there) === identityOf(here) ? { does: "same" } : { does: "other", message };
  }
  const lacks = hidden(here.kind, traits);
  if (lacks !== undefined) return { does: "cannot", message: lacks };
  const [first] = notDone;
  return first === undefined
    ? { does: "as it must" }
    : { does: "cannot", message: `it cannot do as it is: ${first}` };
}

/** What that kernel does with the case of a finding, on a fresh image. */
async function opinionOn(
  { variant: name, divergence }: FoundDivergence,
  attempts: Attempts,
  traits: KernelTraits,
): Promise<SecondKernel> {
  const { operations, before } = divergence;
  const variant = variantNamed(name);
  const { release } = traits;
  const how = { strict: true, executor: "ffi", traits, name: false } as const;
  try {
    const attempted = await attempts.run({ variant, operations, before, ...how });
    return { release, ...saysOf(attempted, divergence, traits) };
  } catch (error) {
    if (!(error instanceof EnvironmentError || error instanceof WorkerLost)) throw error;
    return { release, does: "cannot", message: error.message };
  }
}

/**
 * Asks a second kernel of each finding once, in the variant with the shortest case. What keeps it
 * from answering takes nothing from what was found, and is said.
 */
export async function askSecondKernel(
  found: readonly FoundDivergence[],
  kernel: KernelUnderTest,
): Promise<void> {
  const asked = ranked(found).map(({ found: [first] }) => first);
  const possible = asked.filter(({ divergence }) => divergence.operations.length > 0);
  if (possible.length === 0) return;
  const attempts = new Attempts(kernel, HANG_SECONDS[kernel.guest ? "guest" : "host"]);
  try {
    const { traits } = await attempts.probe();
    for (const one of possible) one.second = await opinionOn(one, attempts, traits);
  } catch (error) {
    if (!(error instanceof EnvironmentError || error instanceof WorkerLost)) throw error;
    complain(`ext4-conform: the second kernel was not asked: ${error.message}\n`);
  } finally {
    await attempts.finish();
  }
}
