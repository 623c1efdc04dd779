import type { ModelEvent } from "../../aspects/on-model.ts";
import type { OtherFile } from "./operation.ts";

export const onModel: ModelEvent<OtherFile> = {
  perform(files) {
    files.change();
    return { result: 0 };
  },
};
