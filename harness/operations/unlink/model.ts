import type { ModelEvent } from "../../aspects/on-model.ts";
import type { Unlink } from "./operation.ts";

export const onModel: ModelEvent<Unlink, never> = {
  perform(files) {
    files.replace();
    return { result: 0 };
  },
};
