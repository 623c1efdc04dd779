/**
 * Every promise, in the order in which broken ones are reported: what says most of the cause first.
 */
import { blockPromises } from "./promises/blocks.ts";
import { callPromises } from "./promises/calls.ts";
import { delayedPromises } from "./promises/delayed.ts";
import { accountPromises } from "./promises/accounts.ts";
import { crashPromises } from "./promises/crash.ts";
import type { ContractPromise } from "./step/step.ts";

export const promises: readonly ContractPromise[] = [
  ...callPromises,
  ...delayedPromises,
  ...blockPromises,
  ...accountPromises,
  ...crashPromises,
];
