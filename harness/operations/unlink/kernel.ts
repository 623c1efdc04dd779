import type { KernelEvent } from "../../aspects/on-kernel.ts";
import type { Unlink } from "./operation.ts";

export const onKernel: KernelEvent<Unlink, never> = {
  perform: (files) => ({ result: files.replace() }),
};
