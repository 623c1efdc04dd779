import type { InC } from "../../aspects/in-c.ts";
import type { SyncFileRange } from "./operation.ts";

export const inC: InC<SyncFileRange, never> = {
  write(program, { pos, len, nowait }) {
    const how = `SYNC_FILE_RANGE_WRITE${nowait === true ? "" : "_AND_WAIT"}`;
    program.call(`sync_file_range(${program.fd()}, ${pos}, ${len}, ${how})`);
    if (nowait !== true) return;
    program.lines(
      "/* Nobody looks before it is done. */",
      `sync_file_range(${program.fd()}, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE);`,
    );
  },
};
