import type { InC } from "../../aspects/in-c.ts";
import type { SyncFileRange } from "./operation.ts";

export const inC: InC<SyncFileRange, never> = {
  write(program, { pos, len }) {
    const how = "SYNC_FILE_RANGE_WRITE_AND_WAIT";
    program.call(`sync_file_range(${program.fd()}, ${pos}, ${len}, ${how})`);
  },
};
