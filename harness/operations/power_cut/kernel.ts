import type { KernelEvent } from "../../aspects/on-kernel.ts";
import type { PowerCut } from "./operation.ts";

export const onKernel: KernelEvent<PowerCut, never> = {
  perform: (files) => ({ result: 0, cut: files.lookAfterCut() }),
  isPossible: (cutsCanBeFollowed) => cutsCanBeFollowed,
};
