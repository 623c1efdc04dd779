import type { ModelEvent } from "../../aspects/on-model.ts";
import type { PowerCut } from "./operation.ts";

export const onModel: ModelEvent<PowerCut, never> = {
  perform: (files) => ({ result: 0, cut: files.lookAfterCut() }),
};
