import type { KernelEvent } from "../../aspects/on-kernel.ts";
import type { OtherFile } from "./operation.ts";

export const onKernel: KernelEvent<OtherFile, never> = {
  perform(files) {
    files.change();
    return { result: 0 };
  },
};
